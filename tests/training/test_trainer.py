"""The training loop: what it computes, how it resumes, how it stops."""

import json
import math
import signal

import numpy as np
import pytest
from small_training import (
    INPUTS,
    LABELS,
    VALIDATION,
    Interrupt,
    assert_equal_states,
    network,
    trainer,
)

from minicnn import (
    Sequential,
    layers,
    losses,
    optimizers,
    schedules,
)
from minicnn.training import (
    BestModel,
    Callback,
    EarlyStopping,
    LearningRate,
    Trainer,
)


def test_one_epoch_is_the_loop_written_by_hand():
    model = Sequential([layers.Flatten(), layers.Dense(3)], input_shape=(6, 6, 1))
    twin = Sequential([layers.Flatten(), layers.Dense(3)], input_shape=(6, 6, 1))
    loss, optimizer = losses.SoftmaxCrossEntropy(), optimizers.SGD(model.parameters(), 0.1)
    history = Trainer(model, loss, optimizer, seed=5).fit((INPUTS, LABELS), epochs=1, batch_size=8)

    # the trainer's shuffle of epoch 1, then plain softmax regression in NumPy
    order = np.random.default_rng(
        np.random.SeedSequence(5, spawn_key=(0, 1))
    ).permutation(len(INPUTS))
    w, b = (parameter.data.astype(np.float64) for parameter in twin.parameters())
    total = correct = 0
    for start in range(0, 23, 8):
        rows = order[start : start + 8]
        x, onehot = INPUTS[rows].reshape(len(rows), -1).astype(np.float64), np.eye(3)[LABELS[rows]]
        exponentials = np.exp(x @ w + b)
        p = exponentials / exponentials.sum(1, keepdims=True)
        total -= np.log((p * onehot).sum(1)).sum()
        correct += (p.argmax(1) == LABELS[rows]).sum()
        w -= 0.1 * x.T @ (p - onehot) / len(rows)
        b -= 0.1 * (p - onehot).mean(0)
    np.testing.assert_allclose(model.parameters()[0].data, w, atol=1e-6)
    np.testing.assert_allclose(model.parameters()[1].data, b, atol=1e-6)
    assert history[0].train_loss == pytest.approx(total / 23, rel=1e-5)
    assert history[0].train_accuracy == correct / 23
    assert math.isnan(history[0].validation_loss)


def test_equal_seeds_give_equal_bits_and_other_seeds_do_not():
    states = []
    for seed in (1, 1, 2):
        run = trainer(seed=seed)
        run.fit((INPUTS, LABELS), VALIDATION, epochs=2, batch_size=8)
        states.append(run.model.state_dict())
    assert_equal_states(states[0], states[1])
    assert any((states[0][name] != states[2][name]).any() for name in states[0])


def test_every_epoch_shuffles_anew_and_shows_each_input_once():
    seen = []

    class Watch(Callback):
        def on_loss(self, trainer, x, loss):
            seen.append(x[:, 0, 0, 0])

    inputs = np.arange(23, dtype=np.float32)[:, None, None, None] * np.ones((1, 6, 6, 1), "f")
    trainer([Watch()], augmentation=None).fit((inputs, LABELS), epochs=2, batch_size=8)
    first, second = np.concatenate(seen[:3]), np.concatenate(seen[3:])
    assert sorted(first) == sorted(second) == list(range(23))
    assert list(first) != list(second)
    assert [len(batch) for batch in seen] == [8, 8, 7] * 2


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 5])
def test_a_run_that_is_interrupted_and_resumed_ends_on_the_same_bits(steps):
    whole = trainer([LearningRate(schedules.ReduceOnPlateau(patience=1), 0.01)])
    expected = whole.fit((INPUTS, LABELS), VALIDATION, epochs=3, batch_size=8)

    before = signal.getsignal(signal.SIGINT)
    broken = trainer([LearningRate(schedules.ReduceOnPlateau(patience=1), 0.01), Interrupt(steps)])
    broken.fit((INPUTS, LABELS), VALIDATION, epochs=3, batch_size=8)
    assert broken.interrupted
    assert signal.getsignal(signal.SIGINT) is before
    state = broken.state_dict()

    resumed = trainer([LearningRate(schedules.ReduceOnPlateau(patience=1), 0.01), Callback()])
    resumed.load_state_dict(*state)
    history = resumed.fit((INPUTS, LABELS), VALIDATION, epochs=3, batch_size=8)
    assert not resumed.interrupted
    assert_equal_states(resumed.model.state_dict(), whole.model.state_dict())
    assert_equal_states(resumed.optimizer.state_dict(), whole.optimizer.state_dict())
    for one, other in zip(history, expected, strict=True):
        for figure in ("train_loss", "train_accuracy", "validation_loss", "learning_rate"):
            assert getattr(one, figure) == getattr(other, figure)


def test_a_signal_that_is_ignored_stays_so():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        ignoring = trainer([Interrupt(1)])
        assert len(ignoring.fit((INPUTS, LABELS), epochs=2, batch_size=8)) == 2
        assert not ignoring.interrupted
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(("rows", "batch_size"), [(23, 7), (22, 8)])
def test_an_epoch_ends_as_it_was_begun(rows, batch_size):
    broken = trainer([Interrupt(1)])
    broken.fit((INPUTS, LABELS), epochs=1, batch_size=8)
    resumed = trainer([Callback()])
    resumed.load_state_dict(*broken.state_dict())
    with pytest.raises(ValueError, match=r"epoch 1 was begun with .*'batch_size': 8.*, got "):
        resumed.fit((INPUTS[:rows], LABELS[:rows]), epochs=1, batch_size=batch_size)
    resumed.fit((INPUTS, LABELS), epochs=1, batch_size=8)
    # between two epochs both may change
    assert len(resumed.fit((INPUTS[:rows], LABELS[:rows]), epochs=2, batch_size=batch_size)) == 2


def test_the_learning_rate_is_part_of_the_state():
    first = trainer()
    first.optimizer.lr = 0.125
    resumed = trainer()
    resumed.load_state_dict(*first.state_dict())
    assert resumed.optimizer.lr == 0.125


class Noise(layers.Layer):
    """A random layer of one's own."""

    def arrays(self, input_shape):
        return []

    def create(self, input_shape, dtype, rng):
        (self.rng,) = rng.spawn(1)

    def forward(self, x, training=False):
        x = self.built_for(x)
        return x + self.rng.standard_normal(x.shape, np.float32) if training else x

    def backward(self, dy):
        return dy


def test_a_random_layer_of_ones_own_is_resumed_on_the_same_bits():
    def noisy(callbacks):
        model = Sequential([layers.Flatten(), Noise(), layers.Dense(3)], (6, 6, 1))
        optimizer = optimizers.SGD(model.parameters(), 0.1)
        return Trainer(model, losses.SoftmaxCrossEntropy(), optimizer, callbacks=callbacks)

    whole, broken, resumed = noisy([Callback()]), noisy([Interrupt(4)]), noisy([Callback()])
    whole.fit((INPUTS, LABELS), epochs=2, batch_size=8)
    broken.fit((INPUTS, LABELS), epochs=2, batch_size=8)
    resumed.load_state_dict(*broken.state_dict())
    resumed.fit((INPUTS, LABELS), epochs=2, batch_size=8)
    assert_equal_states(resumed.model.state_dict(), whole.model.state_dict())


def test_a_state_is_strict_json_from_the_start(tmp_path):
    for epochs in (0, 1):
        model = network()
        callbacks = [
            LearningRate(schedules.ReduceOnPlateau(), 0.01),
            BestModel(model, tmp_path / "best.safetensors"), EarlyStopping(2),
        ]
        run = trainer(callbacks, model)
        if epochs:
            run.fit((INPUTS, LABELS), epochs=epochs, batch_size=8)  # without validation
        header, tensors = run.state_dict()
        text = json.dumps(header, allow_nan=False)
        resumed = trainer(callbacks, model)
        resumed.load_state_dict(json.loads(text), tensors)
        assert [epoch.as_dict() for epoch in resumed.history] == [
            epoch.as_dict() for epoch in run.history
        ]


@pytest.mark.parametrize(("seed", "kind"), [(-1, ValueError), (1.5, TypeError), (None, TypeError)])
def test_seeds_that_are_refused(seed, kind):
    with pytest.raises(kind, match="Trainer: seed must be"):
        trainer(seed=seed)


def test_a_state_of_another_seed_is_refused():
    header, tensors = trainer(seed=1).state_dict()
    with pytest.raises(ValueError, match="seed is 2, the state's is 1"):
        trainer(seed=2).load_state_dict(header, tensors)


def test_training_ends_once_its_inputs_are_answered_well_enough():
    run = trainer(accuracy_goal=0.7)
    history = run.fit((INPUTS, LABELS), VALIDATION, epochs=60, batch_size=8)
    assert 1 < len(history) < 60
    *before, last = (epoch.fitted_accuracy for epoch in history)
    assert last >= 0.7 > max((share for share in before if not math.isnan(share)), default=0)
    # not augmented, without dropout
    assert last == (run.model.predict(INPUTS).argmax(1) == LABELS).mean()
    assert run.stop_reason == f"{last:.2%} of the training images are answered rightly"
    for epoch in history:
        assert math.isnan(epoch.fitted_accuracy) == (epoch.train_accuracy + 0.1 < 0.7)


def test_a_goal_is_no_aim_in_itself():
    without, with_goal = trainer(), trainer(accuracy_goal=1.0)
    for run in (without, with_goal):
        run.fit((INPUTS, LABELS), VALIDATION, epochs=3, batch_size=8)
    assert_equal_states(without.model.state_dict(), with_goal.model.state_dict())


@pytest.mark.parametrize("goal", [-0.1, 1.1, math.nan])
def test_a_goal_is_a_share(goal):
    with pytest.raises(ValueError, match="accuracy_goal must lie in"):
        trainer(accuracy_goal=goal)


def test_a_run_that_was_stopped_early_stays_stopped_when_resumed():
    class Stop(Callback):
        def on_epoch_end(self, trainer, epoch):
            trainer.stop("enough")

    first = trainer([Stop()])
    first.fit((INPUTS, LABELS), epochs=5, batch_size=8)
    resumed = trainer([Callback()])
    resumed.load_state_dict(*first.state_dict())
    assert len(resumed.fit((INPUTS, LABELS), epochs=5, batch_size=8)) == 1
    assert resumed.stop_reason == "enough"
    assert len(resumed.fit((INPUTS, LABELS), epochs=6, batch_size=8)) == 6


def test_speed_is_that_of_all_steps_but_the_first(monkeypatch):
    ticks = iter(range(1000))  # a clock that moves one second at each look
    monkeypatch.setattr("minicnn.training.trainer.time.perf_counter", lambda: next(ticks))
    first, second = trainer().fit((INPUTS, LABELS), epochs=2, batch_size=8)
    assert first.images_per_second == 15 / 2  # the steps of 8 and 7 images, a second each
    assert second.images_per_second == 23 / 3
    assert first.seconds == 4  # three steps, and the end of the epoch


@pytest.mark.parametrize(("train", "settings", "message"), [
    ((INPUTS, LABELS[:-1]), {}, "23 inputs but 22 labels"),
    ((INPUTS[:0], LABELS[:0]), {}, "train is empty"),
    ((INPUTS, LABELS), {"epochs": 0}, "epochs must be at least 1"),
    ((INPUTS, LABELS), {"batch_size": 0}, "batch_size must be at least 1"),
])
def test_bad_arguments_are_refused(train, settings, message):
    with pytest.raises(ValueError, match=message):
        trainer().fit(train, **{"epochs": 1, **settings})
