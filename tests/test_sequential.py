"""A stack of layers: gradients through all of it, its state, its files, its messages."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numeric import assert_gradient, random_like
from safetensors.numpy import save_file

import minicnn
from minicnn import InputError, Sequential, layers, losses, optimizers
from minicnn.files.tensors import read_tensors, write_tensors

LABELS = np.array([0, 2, 1, 1])


def small(dtype: str = "float64", seed: int = 0, dropout: float = 0.0) -> Sequential:
    """A network with every kind of layer that has weights."""
    return Sequential(
        [layers.Conv2D(3, 3), layers.BatchNorm(), layers.ELU(), layers.MaxPool2D(2),
         layers.Conv2D(4, 2, stride=2), layers.LeakyReLU(0.1), layers.AvgPool2D(2, stride=1),
         layers.Flatten(), layers.Dropout(dropout), layers.Dense(5), layers.BatchNorm(),
         layers.ReLU(), layers.Dense(3)],
        input_shape=(7, 8, 2), dtype=dtype, seed=seed,
    )


def images(count: int = 4, seed: int = 0) -> np.ndarray:
    """Inputs of `small`."""
    return np.random.default_rng(seed).standard_normal((count, 7, 8, 2))


def trained(**settings: Any) -> Sequential:
    """`small` after a few steps."""
    model = small(**settings)
    optimizer = optimizers.SGD(model.parameters(), lr=0.1, momentum=0.5)
    for seed in range(3):
        step(model, optimizer, seed)
    return model


def step(model: Sequential, optimizer: optimizers.Optimizer, seed: int) -> None:
    """One step of training."""
    loss = losses.SoftmaxCrossEntropy()
    loss.forward(model.forward(images(seed=seed), training=True), LABELS)
    model.backward(loss.backward())
    optimizer.step()


@pytest.mark.parametrize("training", [False, True])
def test_the_gradient_of_the_whole_network(chosen: ModuleType, training: bool) -> None:
    model, loss, x = trained(), losses.SoftmaxCrossEntropy(label_smoothing=0.1), images(seed=5)
    state = model.state_dict()

    def value(x: np.ndarray, **changed: np.ndarray) -> float:
        model.load_state_dict(state | changed)
        return loss.forward(model.forward(x, training=training), LABELS)

    value(x)
    dx = model.backward(loss.backward(1.7))
    gradients = {parameter.name: parameter.grad for parameter in model.parameters()}
    assert_gradient(dx, value, x, 1.7)
    for name, gradient in gradients.items():
        assert_gradient(gradient, lambda w, name=name: value(x, **{name: w}), state[name], 1.7)
    assert all(np.abs(gradient).max() > 0 for name, gradient in gradients.items()
               if not (training and name in ("conv2d_1.b", "dense_1.b")))


@pytest.mark.parametrize(("first", "shape"), [
    (lambda: layers.Conv2D(3), (4, 5, 2)), (lambda: layers.Dense(4), (6,)),
    (layers.BatchNorm, (4, 5, 2)), (layers.LayerNorm, (4, 5, 2)),
    (lambda: layers.GroupNorm(2), (4, 5, 2)), (layers.Flatten, (4, 5, 2)),
])
def test_training_needs_no_gradient_of_the_input(
    chosen: ModuleType, first: Callable, shape: tuple
) -> None:
    rng = np.random.default_rng(0)
    model = Sequential([first(), layers.Flatten(), layers.Dense(2)], shape, "float64")
    x, dy = rng.standard_normal((3, *shape)), rng.standard_normal((3, 2))
    model.forward(x)
    assert model.backward(dy) is not None
    wanted = [parameter.grad for parameter in model.parameters()]
    model.forward(x)
    assert model.backward(dy, input_gradient=False) is None
    for parameter, gradient in zip(model.parameters(), wanted, strict=True):
        np.testing.assert_array_equal(parameter.grad, gradient)


def test_names_and_order() -> None:
    names = [parameter.name for parameter in small().parameters()]
    assert names == ["conv2d_1.w", "conv2d_1.b", "batchnorm_1.gamma", "batchnorm_1.beta",
                     "conv2d_2.w", "conv2d_2.b", "dense_1.w", "dense_1.b", "batchnorm_2.gamma",
                     "batchnorm_2.beta", "dense_2.w", "dense_2.b"]
    assert set(small().state_dict()) == set(names) | {
        f"batchnorm_{number}.running_{what}" for number in (1, 2) for what in ("mean", "var")}


def test_what_a_caller_holds_does_not_change(chosen: ModuleType) -> None:
    model = small("float32", dropout=0.3)
    optimizer = optimizers.Adam(model.parameters())
    x = images().astype(np.float32)
    y = model.forward(x, training=True)
    dy = random_like(np.random.default_rng(0), y)
    dx = model.backward(dy)
    held = [x, y, dy, dx, *(parameter.grad for parameter in model.parameters()),
            *model.state_dict().values(), *optimizer.state_dict().values(), model.predict(x)]
    kept = [array.copy() for array in held]
    for seed in range(2):
        step(model, optimizer, seed)
    model.predict(images(9))
    model.load_state_dict(small("float32", seed=1).state_dict())
    for array, copy in zip(held, kept, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_an_output_is_never_the_input() -> None:
    model = Sequential([layers.Flatten()], input_shape=(3, 4))
    x = np.ones((2, 3, 4), np.float32)
    y = model.forward(x)
    assert not np.shares_memory(y, x)
    dy = np.ones_like(y)
    assert not np.shares_memory(model.backward(dy), dy)


def test_a_network_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one layer"):
        Sequential([], input_shape=(3, 4))


def test_seeds(chosen: ModuleType) -> None:
    first, second, third = (small(seed=seed, dropout=0.5) for seed in (1, 1, 2))
    x = images()
    for _ in range(2):
        np.testing.assert_array_equal(first.forward(x, True), second.forward(x, True))
    weights, others = (np.asarray(model.parameters()[0].data) for model in (first, third))
    assert (weights != others).all()


def test_initial_weights_are_drawn_layer_by_layer_from_one_generator() -> None:
    state, rng = small("float32", seed=3, dropout=0.5).state_dict(), np.random.default_rng(3)
    for name, shape in (("conv2d_1.w", (3, 3, 2, 3)), ("conv2d_2.w", (2, 2, 3, 4)),
                        ("dense_1.w", (4, 5)), ("dense_2.w", (5, 3))):
        fan_in = np.prod(shape[:-1])
        expected = rng.normal(0, np.sqrt(2 / fan_in), shape).astype(np.float32)
        np.testing.assert_array_equal(state.pop(name), expected)
    for name, array in state.items():
        assert (array == (1 if name.endswith(("gamma", "var")) else 0)).all()


def test_the_dtype_is_kept(chosen: ModuleType) -> None:
    for dtype in ("float32", "float64"):
        model = small(dtype)
        for x in (images(), images().astype(np.float32), images().astype(int)):
            y = model.forward(x, training=True)
            dx = model.backward(np.ones_like(y))
            arrays = [y, dx, model.predict(x), *model.state_dict().values(),
                      *(parameter.grad for parameter in model.parameters())]
            assert {array.dtype for array in arrays} == {np.dtype(dtype)}


@pytest.mark.parametrize("batch_size", [1, 3, 7, 256])
def test_predict_is_forward_in_evaluation(chosen: ModuleType, batch_size: int) -> None:
    model, x = trained(dropout=0.5), images(7)
    np.testing.assert_allclose(model.predict(x, batch_size=batch_size), model.forward(x),
                               rtol=1e-12, atol=1e-13)


def test_predict_keeps_and_learns_nothing(chosen: ModuleType) -> None:
    model = trained(dropout=0.5)
    before = model.state_dict()
    model.predict(images(7))
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])
    with pytest.raises(RuntimeError, match="^dense_2: backward needs a forward before it"):
        model.backward(np.ones((7, 3)))


def test_predict_of_no_images() -> None:
    y = small("float32").predict(np.empty((0, 7, 8, 2)))
    assert (y.shape, y.dtype) == ((0, 3), np.float32)


@pytest.mark.parametrize("count", [0, 2])
def test_predict_of_images_of_another_shape(count: int) -> None:
    with pytest.raises(ValueError, match=r"expected inputs \(N, 7, 8, 2\), got "):
        small().predict(np.zeros((count, 5, 5, 1)))


def test_predict_in_batches_of_nothing() -> None:
    with pytest.raises(ValueError, match="predict: batch_size must be at least 1, got 0"):
        small().predict(images(), batch_size=0)


def test_state_round_trip(chosen: ModuleType) -> None:
    model, other = trained(), small(seed=5)
    other.load_state_dict(model.state_dict())
    np.testing.assert_array_equal(other.predict(images(5)), model.predict(images(5)))


@pytest.mark.parametrize(("change", "message"), [
    (lambda state: state.pop("dense_2.b"), "Sequential: the state lacks dense_2.b"),
    (lambda state: state.update(extra=np.ones(1)), "Sequential: the state has unknown extra"),
    (lambda state: state.update({"dense_2.b": np.ones(4)}),
     "Sequential: dense_2.b must have shape (3,), got (4,)"),
])
def test_a_state_that_does_not_fit_changes_nothing(change: Callable, message: str) -> None:
    model, state = small(), small(seed=5).state_dict()
    before = model.state_dict()
    change(state)
    with pytest.raises(ValueError) as caught:
        model.load_state_dict(state)
    assert str(caught.value) == message
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_file_brings_the_model_back(chosen: ModuleType, tmp_path: Path, dtype: str) -> None:
    model = trained(dtype=dtype)
    model.metadata = {"classes": ["angry", "happy", "überrascht"], "mean": 0.1}
    model.save(tmp_path / "model.safetensors")
    loaded = minicnn.load(tmp_path / "model.safetensors")
    assert loaded.metadata == model.metadata
    assert json.dumps(loaded.config()) == json.dumps(model.config())
    np.testing.assert_array_equal(loaded.predict(images(5)), model.predict(images(5)))
    loaded.save(str(tmp_path / "again.safetensors"))
    assert (tmp_path / "again.safetensors").read_bytes() == (
        tmp_path / "model.safetensors").read_bytes()


@pytest.fixture
def saved(tmp_path: Path) -> Iterator[Path]:
    """A saved network."""
    path = tmp_path / "model.safetensors"
    Sequential([layers.Dense(2), layers.BatchNorm()], input_shape=(3,)).save(path)
    return path


def rewrite(path: Path, change: Callable[[dict, dict], object]) -> None:
    """Change header and tensors of a saved network."""
    header, tensors = read_tensors(path, "model")
    change(header, tensors)
    header.pop("kind")
    write_tensors(path, "model", header, tensors)


@pytest.mark.parametrize(("change", "message"), [
    (lambda header, tensors: header.update(version=2), "expected model format 1, got 2"),
    (lambda header, tensors: header.pop("version"), "expected model format 1, got None"),
    (lambda header, tensors: header.pop("architecture"),
     "architecture: layers: expected a list of layers, got nothing"),
    (lambda header, tensors: header.update(architecture=[]), "architecture: "),
    (lambda header, tensors: header.update(architecture=None), "architecture: "),
    (lambda header, tensors: header.update(metadata=[1]), "metadata"),
    (lambda header, tensors: header.update(architecture=[1]),
     "architecture: expected a table, got [1]"),
    (lambda header, tensors: header["architecture"].update(layers=3),
     "architecture: layers: expected a list of layers, got 3"),
    (lambda header, tensors: header["architecture"].update(layers=["Dense"]), "architecture: "),
    (lambda header, tensors: header["architecture"].update(dtype="int8"),
     "architecture: Sequential: dtype must be float32 or float64, got 'int8'"),
    (lambda header, tensors: header["architecture"].update(seed=-1), "architecture: "),
    (lambda header, tensors: header["architecture"].update(input_shape="3"), "architecture: "),
    (lambda header, tensors: header["architecture"].update(input_shape=[0]), "architecture: "),
    (lambda header, tensors: header["architecture"]["layers"][0].update(type="Denser"),
     "architecture: layer 1: expected one of Conv2D, "),
    (lambda header, tensors: header["architecture"]["layers"][0].update(units=3),
     "Sequential: dense_1.w must have shape (3, 3), got (3, 2)"),
    (lambda header, tensors: tensors.pop("dense_1.b"), "Sequential: the state lacks dense_1.b"),
])
def test_a_file_that_does_not_fit(saved: Path, change: Callable, message: str) -> None:
    rewrite(saved, change)
    with pytest.raises(InputError) as caught:
        minicnn.load(saved)
    assert str(caught.value).startswith(f"{saved}: {message}")


@pytest.mark.parametrize("spoil", [
    lambda path: path.unlink(),
    lambda path: (path.unlink(), path.mkdir()),
    lambda path: path.write_bytes(path.read_bytes()[:-5]),
    lambda path: path.write_bytes(path.read_bytes()[:20]),
    lambda path: save_file({"dense_1.w": np.ones((3, 2))}, path),
], ids=["missing", "folder", "cut in the arrays", "cut in the header", "foreign"])
def test_a_file_that_is_no_model(saved: Path, spoil: Callable) -> None:
    spoil(saved)
    with pytest.raises(InputError) as caught:
        minicnn.load(saved)
    assert str(caught.value).startswith(f"{saved}: expected a minicnn model")


def test_any_flipped_byte_of_the_header_is_an_error_or_another_setting(saved: Path) -> None:
    whole, weights = saved.read_bytes(), minicnn.load(saved).state_dict()
    length = 8 + int.from_bytes(whole[:8], "little")
    for place in range(length):
        saved.write_bytes(whole[:place] + bytes([whole[place] ^ 0x02]) + whole[place + 1 :])
        try:
            loaded = minicnn.load(saved)
        except InputError as error:
            assert str(error).startswith(f"{saved}: ")
        else:
            assert set(loaded.state_dict()) == set(weights)


@pytest.mark.parametrize(("stack", "shape", "message"), [
    ([layers.Conv2D(4), layers.Dense(3)], (8, 8, 1),
     "dense_1: Dense: expected inputs of shape (in,), got (8, 8, 4); put a Flatten before it"),
    ([layers.MaxPool2D(2), layers.MaxPool2D(5)], (8, 8, 1),
     "maxpool2d_2: MaxPool2D: a window of (5, 5) does not fit into an image of (4, 4)"),
    ([layers.ReLU()], (8, 0, 1), "Sequential: a length in input_shape must be at least 1, got 0"),
    ([layer := layers.ReLU(), layer], (8,), "Sequential: a layer stands in the list twice"),
])
def test_layers_that_do_not_fit(stack: list, shape: tuple, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        Sequential(stack, shape)
    assert str(caught.value).startswith(message)


def test_layers_that_do_not_fit_are_not_used_up() -> None:
    stack = [layers.Conv2D(4), layers.Dense(3)]
    with pytest.raises(ValueError):
        Sequential(stack, (8, 8, 1))
    assert len(Sequential([stack[0], layers.Flatten(), stack[1]], (8, 8, 1))) == 3


def test_a_network_shows_its_layers() -> None:
    model = Sequential([layers.Flatten(), layers.Dense(3)], (2, 2))
    assert repr(model).splitlines() == [
        "Sequential([",
        "    Flatten(),",
        "    Dense(units=3, use_bias=True, weight_initializer=" + repr(
            layers.Dense(3).weight_initializer) + "),",
        "], input_shape=(2, 2))",
    ]
    assert [layer.name for layer in model] == ["flatten_1", "dense_1"]
    assert model[-1].parameters()[0].data.shape == (4, 3)


@pytest.mark.parametrize(("settings", "kind"), [
    ({"dtype": "float16"}, TypeError), ({"dtype": "int"}, TypeError), ({"seed": -1}, ValueError),
    ({"seed": "a"}, TypeError), ({"seed": None}, TypeError), ({"input_shape": (2.5,)}, TypeError),
    ({"layers": [np.tanh]}, TypeError),
])
def test_settings_that_are_refused(settings: dict, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        Sequential(**({"layers": [layers.ReLU()], "input_shape": (2,)} | settings))


def test_a_layer_of_another_network_is_refused() -> None:
    layer = layers.Dense(2)
    model = Sequential([layer], (3,))
    before = model.state_dict()
    with pytest.raises(ValueError, match="dense_1"):
        Sequential([layers.ReLU(), layers.Dense(4), layer], (3,))
    np.testing.assert_array_equal(model.state_dict()["dense_1.w"], before["dense_1.w"])


@pytest.mark.parametrize(("x", "kind", "message"), [
    (np.ones((7, 8, 2)), ValueError, "Sequential: expected inputs (N, 7, 8, 2), got (7, 8, 2)"),
    (np.ones((4, 8, 7, 2)), ValueError, "Sequential: expected inputs (N, 7, 8, 2), got (4, 8, 7, "),
    (np.ones((0, 7, 8, 2)), ValueError, "Sequential: x is empty (shape (0, 7, 8, 2))"),
    (np.ones((4, 7, 8, 2), complex), TypeError, "Sequential: x must hold real numbers, got dtype "),
])
def test_inputs_that_are_refused(x: np.ndarray, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as caught:
        small().forward(x)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("storage", ["float16", "float32", "float64"])
def test_weights_may_be_stored_in_another_precision(tmp_path: Path, storage: str) -> None:
    model = trained()
    model.save(tmp_path / "a.safetensors", storage=storage)
    _, arrays = read_tensors(tmp_path / "a.safetensors", "model")
    loaded = minicnn.load(tmp_path / "a.safetensors")
    assert loaded.config() == model.config()
    for name, array in model.state_dict().items():
        assert arrays[name].dtype == storage
        rounded = array.astype(storage).astype(array.dtype)
        np.testing.assert_array_equal(loaded.state_dict()[name], rounded)


def test_weights_beyond_the_range_of_a_precision_are_refused(tmp_path: Path) -> None:
    model = small("float32")
    model.parameters()[0].data[0, 0, 0, 0] = 1e5
    with pytest.raises(ValueError, match=r"conv2d_1\.w holds numbers beyond the range of float16"):
        model.save(tmp_path / "a.safetensors", storage="float16")
    assert not (tmp_path / "a.safetensors").exists()
    with pytest.raises(ValueError, match="storage must be float16, float32 or float64, got 'int8'"):
        model.save(tmp_path / "a.safetensors", storage="int8")
