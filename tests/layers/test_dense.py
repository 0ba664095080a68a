"""The dense layer: its arrays, settings and inputs."""

from collections.abc import Callable

import pytest
from refusals import assert_refused

from minicnn import InputError, layers


@pytest.mark.parametrize(("layer", "expected"), [
    (layers.Dense(3), [("dense.w", (4, 3), True), ("dense.b", (3,), False)]),
    (layers.Dense(3, use_bias=False), [("dense.w", (4, 3), True)]),
], ids=["bias", "no bias"])
def test_parameters(layer: layers.Dense, expected: list) -> None:
    layer.build((4,))
    learnt = layer.parameters()
    assert [(item.name, item.data.shape, item.decays) for item in learnt] == expected
    assert {item.data.dtype.name for item in learnt} == {"float32"}
    assert all((item.data == 0).all() for item in learnt[1:])


@pytest.mark.parametrize(("make", "kind", "message"), [
    (lambda: layers.Dense(-3), ValueError, "Dense: units must be at least 1, got -3"),
    (lambda: layers.Dense(True), TypeError, "Dense: units must be an integer, got True"),
    (lambda: layers.Dense(3, weight_initializer="xavier"), InputError,
     "initializer: expected one of he_normal, "),
])
def test_settings_that_are_refused(make: Callable, kind: type[Exception], message: str) -> None:
    assert_refused(make, kind, message)


def test_inputs_that_do_not_fit() -> None:
    assert_refused(
        lambda: layers.Dense(2).build((4, 4, 1)), ValueError,
        "Dense: expected inputs of shape (in,), got (4, 4, 1); put a Flatten before it",
    )
