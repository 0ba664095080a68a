"""The layers: shapes, parameters, gradients that belong to one backward, settings, messages."""

import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numeric import assert_gradient, distinct, random_like

from minicnn import InputError, layers
from minicnn.checking.examples import EXAMPLES
from minicnn.layers import Layer

IMAGE, FEATURES = (5, 6, 3), (4,)
each_layer = pytest.mark.parametrize(("make", "shape"), EXAMPLES.values(), ids=EXAMPLES.keys())


def built(make: Callable[[], Layer], shape: tuple[int, ...], seed: int = 0) -> Layer:
    """A float64 layer with random parameters."""
    layer = make()
    rng = np.random.default_rng(seed)
    layer.build(shape, dtype="float64", rng=rng)
    for parameter in layer.parameters():
        parameter.data[...] = rng.standard_normal(parameter.data.shape)
    return layer


@each_layer
@pytest.mark.parametrize("training", [False, True])
def test_gradients(
    chosen: ModuleType, make: Callable, shape: tuple[int, ...], training: bool
) -> None:
    rng = np.random.default_rng(1)
    x = distinct(rng, (3, *shape))
    weights = {parameter.name: parameter.data for parameter in built(make, shape).parameters()}

    def output(x: np.ndarray, **changed: np.ndarray) -> np.ndarray:
        fresh = built(make, shape)  # also the same dropout again
        for parameter in fresh.parameters():
            parameter.data[...] = changed.get(parameter.name.split(".")[1], parameter.data)
        return fresh.forward(x, training=training)

    layer = built(make, shape)
    dy = random_like(rng, layer.forward(x, training=training))
    assert_gradient(layer.backward(dy), output, x, dy)
    for parameter in layer.parameters():
        key = parameter.name.split(".")[1]
        assert_gradient(parameter.grad, lambda w, key=key: output(x, **{key: w}),
                        weights[parameter.name], dy)


@each_layer
def test_output_shape_is_that_of_the_output(
    chosen: ModuleType, make: Callable, shape: tuple[int, ...]
) -> None:
    layer = make()
    y = layer.forward(np.ones((2, *shape), np.float32))
    assert y.shape == (2, *layer.output_shape(shape))
    assert y.dtype == np.float32
    assert layer.input_shape == shape
    assert layer.backward(y).shape == (2, *shape)
    assert make().build(shape) == layer.output_shape(shape)


@each_layer
def test_a_gradient_belongs_to_one_backward(
    chosen: ModuleType, make: Callable, shape: tuple[int, ...]
) -> None:
    layer = built(make, shape)
    assert all(parameter.grad is None for parameter in layer.parameters())
    x = np.random.default_rng(2).standard_normal((3, *shape))
    dy = random_like(np.random.default_rng(3), layer.forward(x))
    layer.backward(dy)
    first = [parameter.grad for parameter in layer.parameters()]
    kept = [gradient.copy() for gradient in first]
    layer.backward(dy)  # overwritten, not added
    for parameter, gradient in zip(layer.parameters(), first, strict=True):
        np.testing.assert_array_equal(parameter.grad, gradient)
    layer.backward(-2 * dy)
    for gradient, copy in zip(first, kept, strict=True):
        np.testing.assert_array_equal(gradient, copy)


@each_layer
def test_a_result_does_not_change_later(
    chosen: ModuleType, make: Callable, shape: tuple[int, ...]
) -> None:
    layer = built(make, shape)
    x = np.random.default_rng(2).standard_normal((3, *shape))
    y = layer.forward(x, training=True)
    dx = layer.backward(np.ones_like(y))
    state = layer.state_dict()
    kept = [array.copy() for array in (y, dx, *state.values())]
    layer.backward(layer.forward(3 * x + 1, training=True))
    for parameter in layer.parameters():
        parameter.data -= parameter.grad
    for array, copy in zip((y, dx, *state.values()), kept, strict=True):
        np.testing.assert_array_equal(array, copy)


@each_layer
def test_backward_needs_a_forward(make: Callable, shape: tuple[int, ...]) -> None:
    layer = make()
    layer.build(shape)
    layer.rename("this_one")
    with pytest.raises(RuntimeError, match="^this_one: backward needs a forward before it"):
        layer.backward(np.ones((1, *layer.output_shape(shape))))
    layer.forward(np.ones((1, *shape)))
    layer.forget()
    with pytest.raises(RuntimeError, match="^this_one: backward needs a forward before it"):
        layer.backward(np.ones((1, *layer.output_shape(shape))))


@each_layer
def test_the_settings_survive_json(make: Callable, shape: tuple[int, ...]) -> None:
    config = make().config()
    again = layers.from_config(json.loads(json.dumps(config)))
    assert type(again) is type(make())
    assert json.dumps(again.config()) == json.dumps(config)
    assert again.output_shape(shape) == make().output_shape(shape)


@each_layer
def test_state_round_trip(chosen: ModuleType, make: Callable, shape: tuple[int, ...]) -> None:
    layer, other = built(make, shape), built(make, shape, seed=9)
    x = np.random.default_rng(2).standard_normal((3, *shape))
    layer.forward(x, training=True)
    other.load_state_dict(layer.state_dict())
    np.testing.assert_array_equal(layer.forward(x), other.forward(x))


@pytest.mark.parametrize("layer", [
    lambda: layers.Conv2D(np.int64(2), np.int64(3), padding=np.int64(1)),
    lambda: layers.Conv2D(2, stride=(np.int32(1), 2), padding=((np.int64(1), 0), (0, 0))),
    lambda: layers.MaxPool2D(np.int64(2), padding=np.int64(1)),
    lambda: layers.Dense(np.int64(2)),
    lambda: layers.Dropout(np.float32(0.5)),
    lambda: layers.LeakyReLU(np.float32(0.5)),
    lambda: layers.ELU(np.float32(0.5)),
    lambda: layers.BatchNorm(momentum=np.float32(0.5), eps=np.float32(0.5)),
])
def test_settings_may_be_numbers_of_numpy(layer: Callable[[], Layer]) -> None:
    config = layer().config()
    assert layers.from_config(json.loads(json.dumps(config))).config() == config


class Square(Layer):
    """A layer of a user's own, as short as it can be."""

    def forward(self, x: Any, training: bool = False) -> np.ndarray:
        self.cache = self.built_for(x)
        return self.cache**2

    def backward(self, dy: Any) -> np.ndarray:
        return 2 * self.kept() * dy


def test_a_layer_of_ones_own_works_and_says_why_it_has_no_config() -> None:
    layer = Square()
    x = np.array([[3.0, -2.0]])
    np.testing.assert_array_equal(layer.forward(x), [[9, 4]])
    np.testing.assert_array_equal(layer.backward(np.array([[1.0, 0.5]])), [[6, -2]])
    with pytest.raises(TypeError, match="square: a layer must be a dataclass"):
        layer.config()


def test_parameters_have_names_and_say_whether_they_decay() -> None:
    for make, shape, expected in (
        (lambda: layers.Conv2D(4, (3, 2)), IMAGE,
         [("conv2d.w", (3, 2, 3, 4), True), ("conv2d.b", (4,), False)]),
        (lambda: layers.Dense(3, use_bias=False), FEATURES, [("dense.w", (4, 3), True)]),
        (layers.BatchNorm, IMAGE,
         [("batchnorm.gamma", (3,), False), ("batchnorm.beta", (3,), False)]),
        (layers.ReLU, IMAGE, []),
    ):
        layer = make()
        layer.build(shape)
        learnt = layer.parameters()
        assert [(item.name, item.data.shape, item.decays) for item in learnt] == expected
        assert {item.data.dtype for item in learnt} <= {np.dtype(np.float32)}


def test_batch_norm_learns_its_statistics_in_training_alone(chosen: ModuleType) -> None:
    layer = layers.BatchNorm(momentum=0.5)
    layer.build((2,), dtype="float64")
    x = np.array([[1.0, 10], [3, 30]])
    layer.forward(x)
    np.testing.assert_array_equal(layer.running_mean, [0, 0])
    np.testing.assert_array_equal(layer.running_var, [1, 1])
    layer.forward(x, training=True)
    np.testing.assert_array_equal(layer.running_mean, [1, 10])
    np.testing.assert_array_equal(layer.running_var, [1, 50.5])
    layer.running_mean[:] = 77  # a copy
    np.testing.assert_array_equal(layer.running_mean, [1, 10])
    assert sorted(layer.state_dict()) == [
        "batchnorm.beta", "batchnorm.gamma", "batchnorm.running_mean", "batchnorm.running_var"]


def test_dropout_drops_in_training_alone(chosen: ModuleType) -> None:
    layer = layers.Dropout(0.5)
    x = np.ones((4, 500))
    np.testing.assert_array_equal(layer.forward(x), x)
    first, second = layer.forward(x, training=True), layer.forward(x, training=True)
    assert set(np.unique(first)) == {0, 2}
    assert (first != second).any()


def test_flatten_is_row_major() -> None:
    x = np.arange(24.0).reshape(2, 2, 3, 2)
    layer = layers.Flatten()
    np.testing.assert_array_equal(layer.forward(x), np.arange(24.0).reshape(2, 12))
    np.testing.assert_array_equal(layer.backward(np.arange(24.0).reshape(2, 12)), x)


@pytest.mark.parametrize(("make", "kind", "message"), [
    (lambda: layers.Conv2D(0), ValueError, "Conv2D: filters must be at least 1, got 0"),
    (lambda: layers.Conv2D(2.0), TypeError, "Conv2D: filters must be an integer, got 2.0"),
    (lambda: layers.Conv2D(2, 0), ValueError, "Conv2D: kernel_size must be at least 1, got 0"),
    (lambda: layers.Conv2D(2, stride="1"), TypeError, "Conv2D: stride must be an integer or a"),
    (lambda: layers.Conv2D(2, padding="full"), ValueError, "Conv2D: padding must be"),
    (lambda: layers.Conv2D(2, padding=-1), ValueError, "Conv2D: padding must be at least 0, got"),
    (lambda: layers.MaxPool2D(0), ValueError, "MaxPool2D: size must be at least 1, got 0"),
    (lambda: layers.AvgPool2D(2, stride=0), ValueError, "AvgPool2D: stride must be at least 1"),
    (lambda: layers.BatchNorm(momentum=2), ValueError, "BatchNorm: momentum must lie in [0, 1]"),
    (lambda: layers.BatchNorm(eps=0), ValueError, "BatchNorm: eps must lie in (0, inf), got 0"),
    (lambda: layers.Dense(-3), ValueError, "Dense: units must be at least 1, got -3"),
    (lambda: layers.Dense(True), TypeError, "Dense: units must be an integer, got True"),
    (lambda: layers.Dropout(1.0), ValueError, "Dropout: rate must lie in [0, 1), got 1.0"),
    (lambda: layers.LeakyReLU(-1), ValueError, "LeakyReLU: slope must lie in [0, inf), got -1"),
    (lambda: layers.ELU("a"), TypeError, "ELU: alpha must be a number, got 'a'"),
    (lambda: layers.Dense(3, weight_initializer="xavier"), InputError,
     "initializer: expected one of he_normal, "),
])
def test_settings_that_are_refused(
    make: Callable, kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind) as caught:
        make()
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(("layer", "shape", "message"), [
    (layers.Conv2D(2), (4,), "Conv2D: expected images of shape (H, W, C), got (4,)"),
    (layers.Conv2D(2, 5, padding=0), (4, 4, 1), "Conv2D: a window of (5, 5) does not fit into an"),
    (layers.MaxPool2D(5), (4, 4, 1), "MaxPool2D: a window of (5, 5) does not fit into an image of"),
    (layers.AvgPool2D(2, padding=2), (4, 4, 1), "AvgPool2D: padding must be smaller than the wind"),
    (layers.GlobalAvgPool2D(), (4, 4), "GlobalAvgPool2D: expected images of shape (H, W, C), got"),
    (layers.Dense(2), (4, 4, 1),
     "Dense: expected inputs of shape (in,), got (4, 4, 1); put a Flatten before it"),
    (layers.BatchNorm(), (), "BatchNorm: expected inputs of shape (..., C), got ()"),
])
def test_inputs_that_do_not_fit(layer: Layer, shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(ValueError) as caught:
        layer.build(shape)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(("config", "message"), [
    ({"type": "Conv3D"}, "here: expected one of Conv2D, MaxPool2D, "),
    ({}, "here: expected one of Conv2D, "),
    ({"type": ["Conv2D"]}, "here: expected one of Conv2D, "),
    ({"type": "Dense"}, "here: Dense needs the setting 'units'"),
    ({"type": "Dense", "units": 3, "bias": False}, "here: Dense has no setting 'bias'; "),
    ({"type": "Dense", "units": "3"}, "here: Dense: units must be an integer, got '3'"),
    ({"type": "Flatten", "order": "C"}, "here: Flatten has no setting 'order'; "),
])
def test_configurations_that_are_refused(config: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        layers.from_config(config, "here")
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(("change", "message"), [
    (lambda state: state.pop("dense.b"), "Dense: the state lacks dense.b"),
    (lambda state: state.update(extra=np.ones(1)), "Dense: the state has unknown extra"),
    (lambda state: state.update({"dense.b": np.ones(4)}),
     "Dense: dense.b must have shape (3,), got (4,)"),
    (lambda state: state.update({"dense.b": np.ones(3, complex)}), "Dense: dense.b must hold real"),
    (lambda state: state.update({"dense.b": np.array(["a"] * 3)}), "Dense: dense.b must hold real"),
])
def test_a_state_that_is_refused_changes_nothing(change: Callable, message: str) -> None:
    layer = built(lambda: layers.Dense(3), FEATURES)
    before, state = layer.state_dict(), built(lambda: layers.Dense(3), FEATURES, 5).state_dict()
    change(state)
    with pytest.raises((TypeError, ValueError)) as caught:
        layer.load_state_dict(state)
    for name, array in layer.state_dict().items():
        np.testing.assert_array_equal(array, before[name])
    assert str(caught.value).startswith(message)
