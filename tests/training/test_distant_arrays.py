"""Training on a backend whose arrays are not NumPy's, and going on with it elsewhere."""

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small_training
from distant_arrays import NAME, DistantArray, Traffic, distant_backend
from small_training import INPUTS, LABELS, VALIDATION, assert_equal_states

import minicnn
from minicnn import Sequential, layers, losses, optimizers
from minicnn.checking import check_layer
from minicnn.files.tensors import read_tensors
from minicnn.inference.evaluation import evaluate
from minicnn.training import (
    BestModel,
    Callback,
    Checkpoint,
    Interval,
    Trainer,
    WeightAverage,
    detect_anomaly,
)
from minicnn.training.layer_records import LayerStatisticsFile, RunningStatisticsFile
from minicnn.viewing.feature_maps import block_maps
from minicnn.viewing.filters import first_filters

OPTIMIZERS: dict[str, Callable[..., optimizers.Optimizer]] = {
    "sgd": lambda parameters: optimizers.SGD(parameters, momentum=0.9, weight_decay=0.1),
    "rmsprop": lambda parameters: optimizers.RMSprop(parameters, weight_decay=0.1),
    "adam": lambda parameters: optimizers.Adam(parameters, clip_norm=0.1),
    "adamw": lambda parameters: optimizers.AdamW(parameters, decay_all=True),
}


@pytest.fixture(autouse=True)
def traffic() -> Iterator[Traffic]:
    """The distant backend can be chosen."""
    with distant_backend() as counted:
        yield counted


def network() -> Sequential:
    """With a layer of every kind, in float64, so that backends agree to many digits."""
    return Sequential(
        [layers.Conv2D(4), layers.BatchNorm(), layers.ReLU(), layers.MaxPool2D(),
         layers.Dropout(0.3), layers.Conv2D(5, use_bias=False), layers.GroupNorm(1),
         layers.LeakyReLU(), layers.AvgPool2D(3, stride=1, padding="same"), layers.Flatten(),
         layers.Dense(6), layers.BatchNorm(), layers.ELU(), layers.LayerNorm(), layers.Dense(3)],
        input_shape=(6, 6, 1), dtype="float64",
    )


class Choose(Callback):
    """Another backend at every event of this kind: the distant one and another, in turn."""

    def __init__(self, event: str, other: str, first: str = NAME) -> None:
        self.names = [first, other if first == NAME else NAME]
        setattr(self, event, self.choose)

    def choose(self, *details: Any) -> None:
        """Take turns."""
        minicnn.use_backend(self.names[0])
        self.names.reverse()


def trained(
    backend: str, optimizer: str = "adam", callbacks: Any = (), epochs: int = 2, **settings: Any
) -> Trainer:
    """A run on this backend."""
    model = network()
    run = Trainer(
        model, losses.SoftmaxCrossEntropy(class_weights=[1, 2, 0.5], label_smoothing=0.1),
        OPTIMIZERS[optimizer](model.parameters()), augmentation=small_training.jitter,
        callbacks=callbacks, **settings,
    )
    with minicnn.use_backend(backend):
        run.fit((INPUTS, LABELS), VALIDATION, epochs=epochs, batch_size=8)
    return run


def figures(run: Trainer) -> list[tuple[float, ...]]:
    """The history without times."""
    return [(epoch.train_loss, epoch.train_accuracy, epoch.validation_loss,
             epoch.validation_accuracy) for epoch in run.history]


def assert_close_states(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> None:
    """Require the same names, and numbers that differ by rounding alone."""
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_allclose(one[name], other[name], rtol=1e-9, atol=1e-11, err_msg=name)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_run_on_distant_arrays_has_the_bits_of_the_reference(optimizer: str) -> None:
    far, near = trained(NAME, optimizer), trained("reference", optimizer)
    assert figures(far) == figures(near)
    assert all(isinstance(array, DistantArray) for array in [
        *far.model.live_state().values(), *far.optimizer.live_state().values()])
    assert_equal_states(far.model.state_dict(), near.model.state_dict())
    assert_equal_states(far.optimizer.state_dict(), near.optimizer.state_dict())
    assert all(type(array) is np.ndarray for array in far.model.state_dict().values())


@pytest.mark.parametrize(("optimizer", "clipped"), [("adam", True), ("adamw", False)])
def test_a_step_moves_the_batch_there_and_a_few_numbers_back(
    optimizer: str, clipped: bool, traffic: Traffic
) -> None:
    class Count(Callback):
        def on_step_start(self, trainer: Any) -> None:
            traffic.clear()

        def on_step_end(self, trainer: Any) -> None:
            seen.append((traffic.uploads, traffic.downloads, traffic.downloaded_bytes))

    seen: list[tuple[int, ...]] = []
    trained(NAME, optimizer, callbacks=[Count()], epochs=2)
    # up: the batch, its labels and the class weights; home: the loss, the logits, whether all is
    # finite, and the norm of the gradients that shall be clipped
    assert seen[1] == (3, 3 + clipped, 8 * (8 * 3) + (2 + clipped) * 8)
    assert seen[1] == seen[4]


@pytest.mark.parametrize("first", [NAME, "other"])
@pytest.mark.parametrize("other", ["reference", pytest.param("cpu", marks=pytest.mark.slow)])
@pytest.mark.parametrize("event", ["on_step_start", "on_loss", "on_gradients", "on_step_end"])
def test_the_backend_may_change_in_mid_training(event: str, other: str, first: str) -> None:
    turns = Choose(event, other, NAME if first == NAME else other)
    changing, steady = trained(other, callbacks=[turns]), trained(other)
    np.testing.assert_allclose(figures(changing), figures(steady), rtol=1e-9)
    assert_close_states(changing.model.state_dict(), steady.model.state_dict())
    assert_close_states(changing.optimizer.state_dict(), steady.optimizer.state_dict())


@pytest.mark.parametrize("backends", [(NAME, "reference"), ("reference", NAME), (NAME, NAME)])
def test_a_checkpoint_of_one_backend_resumes_on_another(
    backends: tuple[str, str], tmp_path: Path
) -> None:
    def run(name: str) -> Trainer:
        model = network()
        return Trainer(
            model, losses.SoftmaxCrossEntropy(), optimizers.Adam(model.parameters()),
            augmentation=small_training.jitter,
            callbacks=[BestModel(model, tmp_path / f"best {name}"), WeightAverage(model, 0.9),
                       RunningStatisticsFile(tmp_path / f"batchnorm {name}"),
                       LayerStatisticsFile(tmp_path / f"layers {name}"),
                       Checkpoint(tmp_path / name, {}, every=Interval(batches=2))],
        )

    whole = run("whole")
    with minicnn.use_backend("reference"):
        whole.fit((INPUTS, LABELS), VALIDATION, epochs=3, batch_size=8)
    with minicnn.use_backend(backends[0]):
        run("part").fit((INPUTS, LABELS), VALIDATION, epochs=1, batch_size=8)
    header, tensors = read_tensors(tmp_path / "part", "checkpoint")
    resumed = run("part")
    resumed.load_state_dict(header["trainer"], tensors)
    with minicnn.use_backend(backends[1]):
        resumed.fit((INPUTS, LABELS), VALIDATION, epochs=3, batch_size=8)
    assert figures(resumed) == figures(whole)
    assert_equal_states(resumed.state_dict()[1], whole.state_dict()[1])
    for file in ("best", "batchnorm", "layers"):
        assert (tmp_path / f"{file} part").read_bytes() == (tmp_path / f"{file} whole").read_bytes()


def test_a_model_on_distant_arrays_answers_is_saved_and_is_looked_at(tmp_path: Path) -> None:
    model = trained("reference").model
    with minicnn.use_backend("reference"):
        wanted = model.predict(INPUTS, batch_size=4)
    with minicnn.use_backend(NAME):
        assert isinstance(model.forward(INPUTS), DistantArray)
        assert type(model.predict(INPUTS)) is np.ndarray
        np.testing.assert_array_equal(model.predict(INPUTS, batch_size=4), wanted)
        assert type(evaluate(model, INPUTS, LABELS).probabilities) is np.ndarray
        model.save(tmp_path / "far.safetensors", storage="float32")
        name, weights = first_filters(model) or ("", np.zeros(0))
        assert (name, type(weights)) == ("conv2d_1", np.ndarray)
        assert [type(block.maps) for block in block_maps(model, INPUTS[0])] == [np.ndarray] * 2
        assert type(model.layers[1].running_mean) is np.ndarray
        assert "Parameter('conv2d_1.w', shape=(3, 3, 1, 4)" in repr(model.parameters()[0])
    with minicnn.use_backend("reference"):
        model.save(tmp_path / "near.safetensors", storage="float32")
        np.testing.assert_array_equal(model.predict(INPUTS, batch_size=4), wanted)
    near, far = (tmp_path / f"{name}.safetensors" for name in ("near", "far"))
    assert near.read_bytes() == far.read_bytes()


def test_the_gradient_of_a_distant_input_is_apart_from_what_was_given() -> None:
    model = Sequential([layers.Flatten()], input_shape=(2, 3))
    with minicnn.use_backend(NAME):
        x: Any = DistantArray(np.ones((4, 2, 3), np.float32))
        y: Any = model.forward(x)
        dx: Any = model.backward(y)
        y[...] = np.zeros((4, 6))
        np.testing.assert_array_equal(np.asarray(x), np.ones((4, 2, 3)))
        np.testing.assert_array_equal(np.asarray(dx), np.ones((4, 2, 3)))


@pytest.mark.parametrize("event", ["loss", "gradient", "weight", "watched"])
def test_what_is_not_finite_is_named(event: str) -> None:
    class Spoil(Callback):
        def on_step_start(self, trainer: Any) -> None:
            if event in ("loss", "watched"):
                trainer.model.layers[-1].data("w")[...] = np.full((6, 3), np.nan)
            trainer.optimizer.lr = 1e300 if event == "weight" else 0.01

    class Faulty(layers.ReLU):
        def backward(self, dy: Any) -> Any:
            return np.asarray(super().backward(dy)) * np.nan

    model = Sequential(
        [layers.Dense(6), Faulty() if event == "gradient" else layers.ReLU(), layers.Dense(3)],
        (4,),
    )
    run = Trainer(model, losses.SoftmaxCrossEntropy(), optimizers.Adam(model.parameters()),
                  callbacks=[Spoil()])
    named = {"loss": "dense_2.w holds NaN", "watched": "dense_2.w holds NaN",
             "gradient": "dense_1.b is the first", "weight": "dense_1.w is the first"}[event]
    with minicnn.use_backend(NAME), pytest.raises(minicnn.NonFiniteLossError, match=named):
        if event == "watched":
            with detect_anomaly(run):
                run.fit((INPUTS[:, 0, :4, 0], LABELS), epochs=1)
        run.fit((INPUTS[:, 0, :4, 0], LABELS), epochs=1)


@pytest.mark.parametrize("event", ["on_loss", "on_step_end", "on_validation_start", "on_measured"])
def test_an_average_of_the_weights_follows(event: str) -> None:
    states = []
    for turns in ([Choose(event, "reference")], []):
        model = network()
        average = WeightAverage(model, 0.8)
        run = Trainer(model, losses.SoftmaxCrossEntropy(), optimizers.SGD(model.parameters()),
                      callbacks=[average, *turns])
        with minicnn.use_backend("reference"):
            run.fit((INPUTS, LABELS), VALIDATION, epochs=2, batch_size=8)
        states.append({**average.arrays(), "figures": np.array(figures(run))})
    assert_equal_states(*states)


def test_a_state_that_lies_there_is_loaded_from_where_it_is() -> None:
    source, target, home = trained(NAME).model, network(), network()
    with minicnn.use_backend(NAME):
        target.forward(INPUTS)
        target.load_state_dict(source.live_state())
    home.load_state_dict(source.live_state())
    target.parameters()[0].data[...] = np.asarray(source.parameters()[0].data)
    for model in (target, home, copy.deepcopy(source)):
        assert_equal_states(model.state_dict(), source.state_dict())
        with minicnn.use_backend("reference"):
            np.testing.assert_array_equal(model.predict(INPUTS), source.predict(INPUTS))


def test_a_layer_by_itself_builds_and_computes_there() -> None:
    x = INPUTS[:, 0, :4, 0]
    with minicnn.use_backend(NAME):
        layer = layers.Dense(3)
        y: Any = layer.forward(x)
        dx: Any = layer.backward(y)
        assert [type(array) for array in (y, dx, layer.data("w"))] == [DistantArray] * 3
    near = layers.Dense(3)
    with minicnn.use_backend("reference"):
        wanted = near.forward(x)
        np.testing.assert_array_equal(np.asarray(dx), near.backward(wanted))
        np.testing.assert_array_equal(layer.forward(x), wanted)


def test_a_layer_that_is_written_in_numpy_trains_there() -> None:
    class Scale(layers.Layer):
        def arrays(self, input_shape: tuple[int, ...]) -> list[layers.ArraySpec]:
            return [layers.ArraySpec("factor", input_shape[-1:], 1.5)]

        def forward(self, x: Any, training: bool = False) -> Any:
            self.cache = x = np.asarray(self.built_for(x))
            return x * self.data("factor")

        def backward(self, dy: Any) -> Any:
            dy = np.asarray(dy)
            self.set_gradients(factor=(dy * self.kept()).sum(0))
            return dy * self.data("factor")

    states = []
    for backend in (NAME, "reference"):
        model = Sequential([layers.Dense(6), Scale(), layers.ReLU(), layers.Dense(3)], (4,))
        run = Trainer(model, losses.SoftmaxCrossEntropy(), optimizers.Adam(model.parameters()))
        with minicnn.use_backend(backend):
            run.fit((INPUTS[:, 0, :4, 0], LABELS), epochs=2)
        states.append(model.state_dict())
    assert_equal_states(*states)


@pytest.mark.parametrize("layer", [layers.BatchNorm(), layers.Dense(3)], ids=repr)
def test_the_checks_of_a_layer_run_there(layer: layers.Layer) -> None:
    with minicnn.use_backend(NAME):
        check_layer(layer, (4,))
