"""The group normalisation layer: its arrays, its modes, its settings and inputs."""

from collections.abc import Callable
from types import ModuleType

import numpy as np
import pytest
from refusals import assert_refused

from minicnn import layers


def test_state() -> None:
    layer = layers.GroupNorm(2)
    layer.build((5, 6, 4))
    assert [(item.name, item.data.shape, item.decays) for item in layer.parameters()] == [
        ("groupnorm.gamma", (4,), False), ("groupnorm.beta", (4,), False)]
    assert {name: array.tolist() for name, array in layer.state_dict().items()} == {
        "groupnorm.gamma": [1, 1, 1, 1], "groupnorm.beta": [0, 0, 0, 0]}


def test_training_and_evaluation_are_the_same_also_for_one_image(chosen: ModuleType) -> None:
    layer = layers.GroupNorm(2, eps=4)
    layer.build((2, 4), dtype="float64")
    x = np.array([[[1.0, 3, 0, 0], [5, 7, 0, 0]]])  # means 4 and 0, variances 5 and 0
    for training in (True, False):
        y = layer.forward(x, training=training)
        np.testing.assert_allclose(y, [[[-1, -1 / 3, 0, 0], [1 / 3, 1, 0, 0]]], rtol=1e-14)
        dx = layer.backward([[[6.0, 0, 2, 0], [0, 0, 0, 0]]])
        np.testing.assert_allclose(
            dx, [[[1, -2 / 3, 0.75, -0.25], [-1 / 3, 0, -0.25, -0.25]]], rtol=1e-14, atol=1e-15)
        gamma, beta = layer.parameters()
        np.testing.assert_allclose(gamma.grad, [-6, 0, 0, 0], rtol=1e-14)
        np.testing.assert_allclose(beta.grad, [6, 0, 2, 0], rtol=1e-14)


@pytest.mark.parametrize(("make", "kind", "message"), [
    (lambda: layers.GroupNorm(0), ValueError, "GroupNorm: groups must be at least 1, got 0"),
    (lambda: layers.GroupNorm(2.0), TypeError, "GroupNorm: groups must be an integer, got 2.0"),
    (lambda: layers.GroupNorm(2, eps=0), ValueError,
     "GroupNorm: eps must lie in (0, inf), got 0"),
    (lambda: layers.GroupNorm(1).build(()), ValueError,
     "GroupNorm: expected inputs of shape (..., C), got ()"),
    (lambda: layers.GroupNorm(3).build((4, 5, 4)), ValueError,
     "GroupNorm: groups must divide the 4 channels, got 3"),
    (lambda: layers.GroupNorm(4).build((1, 4)), ValueError,
     "GroupNorm: a group needs at least two values, got 4 groups of inputs of shape (1, 4)"),
])
def test_what_is_refused(make: Callable, kind: type[Exception], message: str) -> None:
    assert_refused(make, kind, message)
