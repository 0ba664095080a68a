"""Numbers that are not finite: seen at once, traced to their layer, kept out of every file."""

import math
from dataclasses import dataclass

import numpy as np
import pytest
import small_training
from small_training import assert_equal_states

from minicnn import NonFiniteLossError, Sequential, layers, losses, optimizers
from minicnn.files.tensors import read_tensors
from minicnn.training import (
    BestModel,
    Callback,
    Checkpoint,
    HistoryFile,
    Interval,
    Phase,
    Trainer,
    detect_anomaly,
)

INPUTS = np.random.default_rng(3).standard_normal((23, 4)).astype(np.float32)
LABELS = np.random.default_rng(4).integers(0, 3, 23)
VALIDATION = (INPUTS[:7] + 0.1, LABELS[:7])
BAD = pytest.mark.parametrize("bad", ["nan", "inf", "-inf"])


@dataclass(eq=False)
class Faulty(layers.Layer):
    """Passes everything on, but puts one bad value into one pass, at the call of this number."""

    where: str = "forward"
    call: int = 1
    bad: str = "nan"

    def __post_init__(self):
        self.left = self.call

    def forward(self, x, training=False):
        return self._passed("forward", self.built_for(x))

    def backward(self, dy):
        return self._passed("backward", np.asarray(dy))

    def _passed(self, where, values):
        self.left -= where == self.where
        if where == self.where and self.left == 0:
            values = values.copy()
            values.flat[1] = float(self.bad)
        return values


class Remember(Callback):
    """The model's and the optimizer's state before each step."""

    def on_step_start(self, trainer):
        self.model = trainer.model.state_dict()
        self.optimizer = trainer.optimizer.state_dict()


def trainer(*middle, callbacks=(), **settings):
    """Of a network with these layers between two dense ones."""
    model = Sequential([layers.Dense(5), *middle, layers.Dense(3)], input_shape=(4,))
    return Trainer(
        model, losses.SoftmaxCrossEntropy(), optimizers.Adam(model.parameters(), 0.01),
        callbacks=callbacks, **settings,
    )


def stopped(run, validation=None, epochs=3, watch=False):
    """The one line that the run ends with."""
    with pytest.raises(NonFiniteLossError) as caught:
        if watch:
            with detect_anomaly(run):
                run.fit((INPUTS, LABELS), validation, epochs=epochs, batch_size=8)
        else:
            run.fit((INPUTS, LABELS), validation, epochs=epochs, batch_size=8)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_loss_that_is_not_finite_names_the_first_layer():
    run = small_training.trainer()
    run.model.layers[-1].parameters()[0].data[0, 0] = np.nan
    with pytest.raises(NonFiniteLossError, match=r"epoch 1, batch 1.*dense_1\.w holds NaN"):
        run.fit((small_training.INPUTS, small_training.LABELS), epochs=1)


def test_a_layer_that_overflows_is_named():
    run = small_training.trainer(augmentation=None)
    run.model.layers[0].parameters()[0].data[...] = 3e38
    with pytest.raises(NonFiniteLossError, match="conv2d_1 is the first layer"):
        run.fit((small_training.INPUTS * 100, small_training.LABELS), epochs=1)


def test_inputs_that_are_not_finite_are_named():
    with pytest.raises(NonFiniteLossError, match="input batch"):
        trainer().fit((INPUTS * np.inf, LABELS), epochs=1)


@BAD
def test_a_gradient_that_is_not_finite_never_reaches_the_optimizer(bad):
    before = Remember()
    run = trainer(layers.ELU(), Faulty("backward", 5, bad), layers.ELU(), callbacks=[before])
    message = stopped(run)  # of three batches an epoch, the fifth
    weight = max(
        ((value, name) for name, array in run.model.state_dict().items() for value in array.flat),
        key=lambda pair: abs(pair[0]),
    )
    # dense_1 is built of w and b; going backward b comes first
    assert message == (
        "a gradient became NaN or infinite in epoch 2, batch 2, at learning rate 0.01: dense_1.b "
        "is the first parameter, going backward, whose gradient is not finite; the largest weight "
        f"is {weight[0]:g}, in {weight[1]}"
    )
    assert run.optimizer.steps == 4
    assert_equal_states(run.model.state_dict(), before.model)
    assert_equal_states(run.optimizer.state_dict(), before.optimizer)


@BAD
def test_an_activation_that_spoils_the_loss_is_traced_to_its_layer(bad):
    class Spoils(layers.Layer):
        def forward(self, x, training=False):
            return np.where(self.built_for(x) > -math.inf, np.float32(bad), 0)

    message = stopped(trainer(layers.ReLU(), Spoils()))
    assert "epoch 1, batch 1, at learning rate 0.01: spoils_1 is the first layer whose" in message


def test_an_activation_that_the_loss_does_not_show_is_seen_where_every_layer_is_watched():
    def network():
        return trainer(Faulty("forward", 4, "-inf"), layers.ReLU())  # which makes it 0

    network().fit((INPUTS, LABELS), epochs=3, batch_size=8)
    assert stopped(network(), watch=True).startswith(
        "a value became NaN or infinite in epoch 2, batch 1, at learning rate 0.01: faulty_1 is "
        "the first layer whose output is not finite; the largest weight is "
    )


@BAD
def test_a_backward_is_traced_to_its_layer_where_every_layer_is_watched(bad):
    message = stopped(trainer(layers.ELU(), Faulty("backward", 2, bad), layers.ELU()), watch=True)
    assert "batch 2, " in message
    assert "faulty_1 is the first layer, going backward, whose dx is not finite" in message


def test_the_gradient_of_a_parameter_is_named_where_every_layer_is_watched():
    class Learns(layers.Layer):
        def arrays(self, input_shape):
            return [layers.ArraySpec("factor", input_shape, 1)]

        def forward(self, x, training=False):
            return self.built_for(x) * self.data("factor")

        def backward(self, dy):
            self.backward_first(dy)
            return dy

        def backward_first(self, dy):
            self.set_gradients(factor=np.full(5, np.inf, np.float32))

    message = stopped(trainer(Learns()), watch=True)
    assert ": learns_1.factor is the first parameter, going backward, whose gradient" in message
    first = Sequential([Learns(), layers.Dense(3)], input_shape=(5,))  # without a dx
    run = Trainer(first, losses.SoftmaxCrossEntropy(), optimizers.SGD(first.parameters()))
    seen = pytest.raises(NonFiniteLossError, match=r"^a value became .*: learns_1\.factor is")
    with seen, detect_anomaly(run):
        run.fit((np.ones((4, 5)), np.zeros(4, int)), epochs=1)


def test_an_overflow_of_the_validation_is_named():
    far = (np.full((7, 4), 3e38, np.float32), LABELS[:7])
    message = stopped(trainer(), far)
    assert message.startswith("the validation loss became nan in epoch 1, at learning rate 0.01: ")
    message = stopped(trainer(layers.ReLU()), far, watch=True)
    assert "in the measurements after epoch 1, at learning rate 0.01: dense_1 is the" in message


class Leap(Callback):
    """A learning rate that overflows the weights, after so many batches of the second epoch."""

    def __init__(self, batches):
        self.batches = batches

    def on_step_start(self, trainer):
        leaps = (trainer.epoch, trainer.batch) == (2, self.batches)
        trainer.optimizer.lr = 1e300 if leaps else 0.01


@pytest.mark.parametrize("batches", [0, 1, 2])
def test_a_step_that_overflows_a_weight_is_named(batches):
    run = trainer(callbacks=[Leap(batches)])
    message = stopped(run)
    assert message.startswith(
        f"a weight or running statistic became NaN or infinite in epoch 2, batch {batches + 1}, at "
        "learning rate 1e+300: dense_1.w is the first that is not finite; the largest weight is "
    )
    assert run.optimizer.steps == 3 + batches + 1  # no step after it


def test_a_weight_that_neither_loss_nor_gradients_show_is_seen_before_the_next_step():
    class Deaf(layers.Layer):
        def forward(self, x, training=False):
            return np.nan_to_num(self.built_for(x), posinf=0, neginf=0)

        def backward(self, dy):
            return np.nan_to_num(dy, posinf=0, neginf=0)

    class Spoil(Callback):
        def on_step_end(self, trainer):
            if (trainer.epoch, trainer.batch) == (2, 1):
                trainer.model.parameters()[0].data[0, 1] = np.inf

    run = trainer(Deaf(), callbacks=[Spoil()])
    assert stopped(run).startswith(
        "a weight or running statistic became NaN or infinite in epoch 2, batch 1, at learning "
        "rate 0.01: dense_1.w is the first that is not finite; the largest weight is inf, in dense"
    )
    assert run.optimizer.steps == 4


def test_a_checkpoint_within_an_epoch_keeps_the_last_good_step(tmp_path):
    checkpoint = Checkpoint(tmp_path / "last.safetensors", {}, every=Interval(batches=1))
    message = stopped(trainer(callbacks=[checkpoint, Leap(1)]))
    assert " in epoch 2, batch 2, at learning rate 1e+300: dense_1.w is the first" in message
    header, tensors = read_tensors(checkpoint.path, "checkpoint")
    assert (header["trainer"]["epoch"], header["trainer"]["batch"]) == (2, 1)
    assert all(np.isfinite(array).all() for array in tensors.values())


@pytest.mark.parametrize("batches", [0, 1, 2])
def test_a_moment_that_overflows_is_named_with_its_step(batches):
    class Large(Callback):
        def on_gradients(self, trainer):
            if (trainer.epoch, trainer.batch) == (2, batches):
                for parameter in trainer.model.parameters():
                    parameter.grad *= np.float32(1e25)

    message = stopped(trainer(callbacks=[Large()]))
    assert message.startswith(
        f"a moment of the optimizer became NaN or infinite in epoch 2, batch {batches + 1}, at "
    )


def test_the_largest_weight_is_the_furthest_from_zero_and_nan_before_all():
    for value, shown in ((-1e5, "-100000"), (np.inf, "inf"), (np.nan, "nan")):
        run = trainer(layers.ELU(), Faulty("backward"))
        run.model.parameters()[2].data[0, 1] = 1e4
        run.model.parameters()[2].data[1, 2] = value
        message = stopped(run)
        assert message.endswith(f"; the largest weight is {shown}, in dense_2.w")


@pytest.mark.parametrize("seed", range(12))
def test_the_forward_that_is_looked_into_drops_the_same(seed):
    model = Sequential([layers.Dropout(0.5), layers.Dense(3)], input_shape=(2,), seed=seed)
    model.parameters()[0].data[0] = 3e38  # overflows where the first input is not dropped
    run = Trainer(model, losses.SoftmaxCrossEntropy(), optimizers.SGD(model.parameters(), 1e-30))
    with pytest.raises(NonFiniteLossError, match="dense_1 is the first layer whose output is not"):
        run.fit((np.ones((40, 2)), np.zeros(40, int)), epochs=1, batch_size=1)


def test_a_loss_that_overflows_by_itself_is_called_so():
    run = trainer()
    run.model.parameters()[2].data[...] = 0
    run.model.parameters()[3].data[...] = [3e38, -3e38, -3e38]
    message = stopped(run)
    assert message.startswith("the loss became inf in epoch 1, batch 1, ")
    assert "every layer's output is finite, so the loss itself overflowed; the largest" in message


def test_moments_that_overflow_under_finite_weights_are_not_saved(tmp_path):
    class Large(Callback):
        def on_gradients(self, trainer):
            for parameter in trainer.model.parameters():
                parameter.grad *= np.float32(1e25)  # finite, but no float32 holds its square

    model = Sequential([layers.Dense(3)], (4,))
    checkpoint = Checkpoint(tmp_path / "last.safetensors", {})
    run = Trainer(
        model, losses.SoftmaxCrossEntropy(), optimizers.Adam(model.parameters()),
        callbacks=[checkpoint, Large()],
    )
    message = stopped(run)
    assert message.startswith("a moment of the optimizer became NaN or infinite in epoch 1, ")
    assert "dense_1.w.s is the first that is not finite" in message
    header, _ = read_tensors(checkpoint.path, "checkpoint")
    assert header["trainer"]["batch"] == 0


SPOILT = {
    "loss": lambda x, rng: x * np.float32(np.nan),
    "running statistic": lambda x, rng: x * np.float32(1e25),  # its square is no float32
}


@pytest.mark.parametrize("watch", [False, True])
@pytest.mark.parametrize("event", ["loss", "gradient", "weight", "running statistic"])
def test_the_last_good_files_stay(tmp_path, event, watch):
    class Spoil(Callback):
        """Makes the last step of the second epoch go wrong."""

        phase = Phase.SAVE

        def on_step_start(self, trainer):
            last = (trainer.epoch, trainer.batch) == (2, 2)
            trainer.optimizer.lr = 1e300 if last and event == "weight" else 0.01
            trainer.augmentation = SPOILT.get(event) if last else None

        def on_epoch_end(self, trainer, epoch):
            good.update({path: path.read_bytes() for path in tmp_path.iterdir()})

    good = {}
    faulty = [Faulty("backward", 6)] if event == "gradient" else []
    model = Sequential([layers.BatchNorm(), layers.Dense(3), *faulty, layers.ELU()], (4,))
    run = Trainer(
        model, losses.SoftmaxCrossEntropy(), optimizers.Adam(model.parameters(), 0.01),
        callbacks=[
            BestModel(model, tmp_path / "model.safetensors"), HistoryFile(tmp_path / "history.csv"),
            Checkpoint(tmp_path / "last.safetensors", {}), Spoil(),
        ],
    )
    message = stopped(run, VALIDATION, watch=watch)
    assert "in epoch 2, batch 3, at learning rate " in message
    assert watch or event in message.partition(" became ")[0]
    assert len(good) == 3
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == good
    _, checkpoint = read_tensors(tmp_path / "last.safetensors", "checkpoint")
    assert all(np.isfinite(array).all() for array in checkpoint.values())


def test_watching_changes_no_number_and_ends_with_the_block():
    states = []
    for watch in (False, True):
        run = trainer(layers.BatchNorm(), layers.Dropout(0.2))
        if watch:
            with detect_anomaly(run), detect_anomaly(run):
                run.fit((INPUTS, LABELS), VALIDATION, epochs=2, batch_size=8)
                assert "forward" in vars(run.model.layers[0])
        else:
            run.fit((INPUTS, LABELS), VALIDATION, epochs=2, batch_size=8)
        states.append((run.model.state_dict(), run.optimizer.state_dict()))
        for layer in run.model.layers:
            assert not vars(layer).keys() & {"forward", "backward", "backward_first"}
    assert_equal_states(states[0][0], states[1][0])
    assert_equal_states(states[0][1], states[1][1])
