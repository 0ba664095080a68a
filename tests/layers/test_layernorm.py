"""The layer normalisation layer: its arrays, its modes, its settings and inputs."""

from collections.abc import Callable
from types import ModuleType

import numpy as np
import pytest
from refusals import assert_refused

from minicnn import layers


def test_state() -> None:
    layer = layers.LayerNorm()
    layer.build((5, 6, 3))
    assert [(item.name, item.data.shape, item.decays) for item in layer.parameters()] == [
        ("layernorm.gamma", (3,), False), ("layernorm.beta", (3,), False)]
    assert {name: array.tolist() for name, array in layer.state_dict().items()} == {
        "layernorm.gamma": [1, 1, 1], "layernorm.beta": [0, 0, 0]}


def test_training_and_evaluation_are_the_same_also_for_one_image(chosen: ModuleType) -> None:
    layer = layers.LayerNorm(eps=4)
    layer.build((2, 2), dtype="float64")
    x = np.array([[[1.0, 3], [5, 7]]])  # mean 4, variance 5
    for training in (True, False):
        y = layer.forward(x, training=training)
        np.testing.assert_allclose(y, [[[-1, -1 / 3], [1 / 3, 1]]], rtol=1e-14)
        dx = layer.backward([[[6.0, 0], [0, 0]]])
        np.testing.assert_allclose(dx, [[[1, -2 / 3], [-1 / 3, 0]]], rtol=1e-14, atol=1e-15)
        gamma, beta = layer.parameters()
        np.testing.assert_allclose(gamma.grad, [-6, 0], rtol=1e-14)
        np.testing.assert_allclose(beta.grad, [6, 0], rtol=1e-14)


@pytest.mark.parametrize(("make", "kind", "message"), [
    (lambda: layers.LayerNorm(eps=0), ValueError, "LayerNorm: eps must lie in (0, inf), got 0"),
    (lambda: layers.LayerNorm(eps="1"), TypeError, "LayerNorm: eps must be a number, got '1'"),
    (lambda: layers.LayerNorm().build(()), ValueError,
     "LayerNorm: expected inputs of shape (..., C), of at least two values, got ()"),
    (lambda: layers.LayerNorm().build((1, 1, 1)), ValueError,
     "LayerNorm: expected inputs of shape (..., C), of at least two values, got (1, 1, 1)"),
])
def test_what_is_refused(make: Callable, kind: type[Exception], message: str) -> None:
    assert_refused(make, kind, message)
