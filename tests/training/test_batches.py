"""How an epoch is cut into batches: every input once, in order, and none alone among others."""

import numpy as np
import pytest
from small_training import Interrupt, assert_equal_states

from minicnn import InputError, Sequential, layers, losses, optimizers
from minicnn.training import Callback, Trainer
from minicnn.training.batches import cut


def features_network() -> Sequential:
    """A network whose batch norm sees one value a row and channel."""
    return Sequential([layers.Dense(5), layers.BatchNorm(), layers.ReLU(), layers.Dense(3)], (4,))


def trainer(model: Sequential, callbacks: tuple[Callback, ...] = (), lr: float = 0.01) -> Trainer:
    """A trainer of it."""
    optimizer = optimizers.SGD(model.parameters(), lr)
    return Trainer(model, losses.SoftmaxCrossEntropy(), optimizer, callbacks=callbacks)


def rows(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Features of mean 2 and deviation 3, and labels."""
    rng = np.random.default_rng(0)
    x = (2 + 3 * rng.standard_normal((count, 4))).astype(np.float32)
    return x, rng.integers(0, 3, count)


class Watch(Callback):
    """Notes the size of each batch, and where training stands after it."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.places: list[tuple[int, int, float]] = []

    def on_loss(self, trainer, x, loss):
        self.sizes.append(len(x))

    def on_step_end(self, trainer):
        self.places.append((trainer.steps, trainer.batches, trainer.progress))


@pytest.mark.parametrize(("inputs", "size", "sizes"), [
    (33, 32, [33]), (65, 32, [32, 33]), (64, 32, [32, 32]), (66, 32, [32, 32, 2]), (7, 32, [7]),
    (3, 2, [3]), (5, 2, [2, 3]), (2, 2, [2]), (1, 2, [1]), (1, 1, [1]), (3, 1, [1, 1, 1]),
])
def test_the_last_input_is_never_alone_among_others(inputs, size, sizes):
    places = cut(inputs, size)
    assert [len(np.arange(inputs)[place]) for place in places] == sizes
    np.testing.assert_array_equal(
        np.concatenate([np.arange(inputs)[place] for place in places]), np.arange(inputs))


@pytest.mark.parametrize(("count", "sizes"), [(33, [33]), (65, [32, 33])])
def test_features_and_batch_norm_train_with_one_row_too_many(count, sizes):
    watch, model = Watch(), features_network()
    trainer(model, (watch,)).fit(rows(count), epochs=2, batch_size=32)
    assert watch.sizes == sizes * 2
    steps, batches = range(1, 2 * len(sizes) + 1), len(sizes)
    assert watch.places == [(step, batches, step / batches) for step in steps]


def test_the_running_variance_ends_near_the_variance():
    model, (x, labels) = features_network(), rows(33)
    trainer(model, lr=1e-9).fit((x, labels), epochs=60, batch_size=32)
    right = (x.astype(np.float64) @ model.parameters()[0].data).var(0)
    np.testing.assert_allclose(model.layers[1].running_var, right, rtol=0.02)


def test_an_epoch_with_a_longer_last_batch_resumes_bit_for_bit():
    whole = trainer(features_network())
    whole.fit(rows(65), epochs=2, batch_size=32)
    part = trainer(features_network(), (Interrupt(1),))
    part.fit(rows(65), epochs=2, batch_size=32)
    assert (part.batch, part.batches) == (1, 2)
    resumed = trainer(features_network(), (Interrupt(99),))
    resumed.load_state_dict(*part.state_dict())
    resumed.fit(rows(65), epochs=2, batch_size=32)
    assert_equal_states(resumed.model.state_dict(), whole.model.state_dict())


@pytest.mark.parametrize(("count", "size"), [(1, 32), (3, 1)])
def test_batches_of_one_are_refused_where_batch_norm_cannot_take_them(count, size):
    with pytest.raises(InputError, match=r"^epoch 1, batch 1 \(1 inputs\): batchnorm: training "
                                         r"needs at least two values a channel.*batch of two"):
        trainer(features_network()).fit(rows(count), epochs=1, batch_size=size)
