"""The convolution layer: its arrays, settings and inputs."""

from collections.abc import Callable

import pytest
from refusals import assert_refused

from minicnn import layers


@pytest.mark.parametrize(("layer", "expected"), [
    (layers.Conv2D(4, (3, 2)),
     [("conv2d.w", (3, 2, 5, 4), True), ("conv2d.b", (4,), False)]),
    (layers.Conv2D(4, use_bias=False), [("conv2d.w", (3, 3, 5, 4), True)]),
], ids=["bias", "no bias"])
def test_parameters(layer: layers.Conv2D, expected: list) -> None:
    layer.build((6, 7, 5))
    learnt = layer.parameters()
    assert [(item.name, item.data.shape, item.decays) for item in learnt] == expected
    assert {item.data.dtype.name for item in learnt} == {"float32"}
    assert all((item.data == 0).all() for item in learnt[1:])


@pytest.mark.parametrize(("make", "kind", "message"), [
    (lambda: layers.Conv2D(0), ValueError, "Conv2D: filters must be at least 1, got 0"),
    (lambda: layers.Conv2D(2.0), TypeError, "Conv2D: filters must be an integer, got 2.0"),
    (lambda: layers.Conv2D(2, 0), ValueError, "Conv2D: kernel_size must be at least 1, got 0"),
    (lambda: layers.Conv2D(2, stride="1"), TypeError, "Conv2D: stride must be an integer or a"),
    (lambda: layers.Conv2D(2, padding="full"), ValueError, "Conv2D: padding must be"),
    (lambda: layers.Conv2D(2, padding=-1), ValueError, "Conv2D: padding must be at least 0, got"),
])
def test_settings_that_are_refused(make: Callable, kind: type[Exception], message: str) -> None:
    assert_refused(make, kind, message)


@pytest.mark.parametrize(("layer", "shape", "message"), [
    (layers.Conv2D(2), (4,), "Conv2D: expected images of shape (H, W, C), got (4,)"),
    (layers.Conv2D(2, 5, padding=0), (4, 4, 1), "Conv2D: a window of (5, 5) does not fit into an"),
])
def test_inputs_that_do_not_fit(layer: layers.Conv2D, shape: tuple, message: str) -> None:
    assert_refused(lambda: layer.build(shape), ValueError, message)
