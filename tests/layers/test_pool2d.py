"""The pooling layers: their settings and inputs."""

from collections.abc import Callable

import pytest
from refusals import assert_refused

from minicnn import layers
from minicnn.layers import Layer


@pytest.mark.parametrize(("make", "kind", "message"), [
    (lambda: layers.MaxPool2D(0), ValueError, "MaxPool2D: size must be at least 1, got 0"),
    (lambda: layers.AvgPool2D(2, stride=0), ValueError, "AvgPool2D: stride must be at least 1"),
])
def test_settings_that_are_refused(make: Callable, kind: type[Exception], message: str) -> None:
    assert_refused(make, kind, message)


@pytest.mark.parametrize(("layer", "shape", "message"), [
    (layers.MaxPool2D(5), (4, 4, 1), "MaxPool2D: a window of (5, 5) does not fit into an image of"),
    (layers.AvgPool2D(2, padding=2), (4, 4, 1), "AvgPool2D: padding must be smaller than the wind"),
    (layers.GlobalAvgPool2D(), (4, 4), "GlobalAvgPool2D: expected images of shape (H, W, C), got"),
])
def test_inputs_that_do_not_fit(layer: Layer, shape: tuple, message: str) -> None:
    assert_refused(lambda: layer.build(shape), ValueError, message)
