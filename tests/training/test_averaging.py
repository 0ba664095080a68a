"""The average of the weights, against the recurrence by hand, and what is measured with it."""

import numpy as np
import pytest

from minicnn import Sequential, layers, load, losses, optimizers
from minicnn.inference.evaluation import evaluate
from minicnn.training import BestModel, Callback, Trainer, WeightAverage

RNG = np.random.default_rng(5)
INPUTS = RNG.standard_normal((20, 6, 6, 1)).astype(np.float32)
LABELS = RNG.integers(0, 3, 20)
VALIDATION = (INPUTS[:9] + 0.1, LABELS[:9])


def network():
    return Sequential(
        [layers.Conv2D(4), layers.BatchNorm(), layers.ReLU(), layers.Flatten(), layers.Dense(3)],
        input_shape=(6, 6, 1), seed=2,
    )


class Weights(Callback):
    """Keeps the weights after every step."""

    def __init__(self):
        self.all = []

    def on_step_end(self, trainer):
        self.all.append(trainer.model.state_dict())


def trainer(decay, *others, model=None):
    model = model or network()
    return Trainer(
        model, losses.SoftmaxCrossEntropy(), optimizers.Adam(model.parameters(), 0.02),
        callbacks=[*others, WeightAverage(model, decay)],
    )


@pytest.mark.parametrize("decay", [0.0, 0.3, 0.9])
def test_the_recurrence_by_hand(decay):
    weights, expected = Weights(), network().state_dict()
    run = trainer(decay, weights)
    run.fit((INPUTS, LABELS), epochs=3, batch_size=8)
    assert len(weights.all) == 9
    for step, state in enumerate(weights.all, start=1):
        now = min(decay, (1 + step) / (10 + step))
        expected = {name: now * expected[name] + (1 - now) * state[name] for name in expected}
    for name, average in run.callbacks[-1].arrays().items():
        np.testing.assert_allclose(average, expected[name], rtol=1e-5, atol=1e-6, err_msg=name)


def test_training_itself_goes_on_with_its_own_weights():
    plain = Trainer(model := network(), losses.SoftmaxCrossEntropy(),
                    optimizers.Adam(model.parameters(), 0.02))
    averaged = trainer(0.9)
    for run in (plain, averaged):
        run.fit((INPUTS, LABELS), VALIDATION, epochs=3, batch_size=8)
    for name, array in plain.model.state_dict().items():
        np.testing.assert_array_equal(array, averaged.model.state_dict()[name])


def test_what_is_measured_and_saved_is_the_average(tmp_path):
    model = network()
    run = trainer(0.9, BestModel(model, tmp_path / "best.safetensors"), model=model)
    (epoch,) = run.fit((INPUTS, LABELS), VALIDATION, epochs=1, batch_size=4)
    saved = load(tmp_path / "best.safetensors")
    for name, array in run.callbacks[-1].arrays().items():
        np.testing.assert_array_equal(saved.state_dict()[name], array)
    assert evaluate(saved, *VALIDATION).loss == epoch.validation_loss
    assert evaluate(run.model, *VALIDATION).loss != epoch.validation_loss


def test_a_resumed_run_goes_on_with_the_average():
    whole, first, resumed = trainer(0.9), trainer(0.9), trainer(0.9)
    whole.fit((INPUTS, LABELS), VALIDATION, epochs=4, batch_size=8)
    first.fit((INPUTS, LABELS), VALIDATION, epochs=2, batch_size=8)
    resumed.load_state_dict(*first.state_dict())
    resumed.fit((INPUTS, LABELS), VALIDATION, epochs=4, batch_size=8)
    for name, array in whole.callbacks[-1].arrays().items():
        np.testing.assert_array_equal(array, resumed.callbacks[-1].arrays()[name])
    assert [epoch.validation_loss for epoch in whole.history] == [
        epoch.validation_loss for epoch in resumed.history]


def test_a_state_does_not_change_while_training_goes_on():
    run = trainer(0.9)
    run.fit((INPUTS, LABELS), epochs=1, batch_size=8)
    _, tensors = run.state_dict()
    before = {name: array.copy() for name, array in tensors.items()}
    run.fit((INPUTS, LABELS), epochs=2, batch_size=8)
    for name, array in before.items():
        np.testing.assert_array_equal(tensors[name], array)


def test_a_state_without_the_average_is_refused():
    header, tensors = trainer(0.9).state_dict()
    kept = {name: array for name, array in tensors.items() if "callback" not in name}
    with pytest.raises(ValueError, match="WeightAverage: the state lacks"):
        trainer(0.9).load_state_dict(header, kept)


@pytest.mark.parametrize("event", ["on_validation_start", "on_measured", "on_epoch_end"])
def test_an_exception_in_validation_leaves_the_models_own_weights(event):
    def stumble(*details):
        raise KeyboardInterrupt

    weights, stumbling = Weights(), Callback()
    setattr(stumbling, event, stumble)
    run = trainer(0.9, weights, stumbling)
    with pytest.raises(KeyboardInterrupt):
        run.fit((INPUTS, LABELS), VALIDATION, epochs=1, batch_size=8)
    for name, array in run.model.state_dict().items():
        np.testing.assert_array_equal(array, weights.all[-1][name])


def test_the_averages_stand_in_the_model_while_it_is_measured_alone():
    class Compare(Callback):
        """Before the average in the list, and behind it: that makes no difference."""

        def on_measured(self, trainer, epoch):
            seen.append(self.equal(trainer, run.callbacks[2].arrays()))

        def on_epoch_end(self, trainer, epoch):
            seen.append(self.equal(trainer, weights.all[-1]))

        def equal(self, trainer, arrays):
            state = trainer.model.state_dict()
            return all(np.array_equal(state[name], arrays[name]) for name in state)

    seen, weights, model = [], Weights(), network()
    run = Trainer(
        model, losses.SoftmaxCrossEntropy(), optimizers.Adam(model.parameters(), 0.02),
        callbacks=[Compare(), WeightAverage(model, 0.9), weights, Compare()],
    )
    run.fit((INPUTS, LABELS), VALIDATION, epochs=2, batch_size=8)
    assert seen == [True] * 8


@pytest.mark.parametrize("decay", [-0.1, 1.0, float("nan")])
def test_a_decay_lies_below_one(decay):
    with pytest.raises(ValueError, match=r"WeightAverage: decay must lie in \[0, 1\)"):
        WeightAverage(network(), decay)
