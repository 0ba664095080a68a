"""The batch normalisation layer: its arrays, its running statistics, its settings and inputs."""

from collections.abc import Callable
from types import ModuleType

import numpy as np
import pytest
from refusals import assert_refused

from minicnn import layers


def test_state() -> None:
    layer = layers.BatchNorm()
    layer.build((5, 6, 3))
    learnt = layer.parameters()
    assert [(item.name, item.data.shape, item.decays) for item in learnt] == [
        ("batchnorm.gamma", (3,), False), ("batchnorm.beta", (3,), False)]
    state = layer.state_dict()
    assert {array.dtype.name for array in state.values()} == {"float32"}
    assert {name: array.tolist() for name, array in state.items()} == {
        "batchnorm.gamma": [1, 1, 1], "batchnorm.beta": [0, 0, 0],
        "batchnorm.running_mean": [0, 0, 0], "batchnorm.running_var": [1, 1, 1]}


def test_it_learns_its_statistics_in_training_alone(chosen: ModuleType) -> None:
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


def test_there_are_no_statistics_before_it_is_built() -> None:
    assert_refused(lambda: layers.BatchNorm().running_var, RuntimeError,
                   "batchnorm: has no running_var yet; build it first")


@pytest.mark.parametrize(("make", "kind", "message"), [
    (lambda: layers.BatchNorm(momentum=2), ValueError, "BatchNorm: momentum must lie in [0, 1]"),
    (lambda: layers.BatchNorm(eps=0), ValueError, "BatchNorm: eps must lie in (0, inf), got 0"),
])
def test_settings_that_are_refused(make: Callable, kind: type[Exception], message: str) -> None:
    assert_refused(make, kind, message)


def test_inputs_that_do_not_fit() -> None:
    assert_refused(lambda: layers.BatchNorm().build(()), ValueError,
                   "BatchNorm: expected inputs of shape (..., C), got ()")
