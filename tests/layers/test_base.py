"""What every layer does: shapes, gradients that belong to one backward, state, settings."""

import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numeric import assert_gradient, distinct, random_like

from minicnn import layers
from minicnn.checking.examples import EXAMPLES
from minicnn.layers import Layer

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
        parameter.data[...] = np.asarray(parameter.data) - np.asarray(parameter.grad)
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
