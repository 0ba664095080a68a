"""What a layer has to compute and to move, by hand."""

import pytest

from minicnn import layers
from minicnn.benchmarking.work import work


def built(layer: layers.Layer, shape: tuple) -> layers.Layer:
    layer.build(shape)
    return layer


def test_work_of_a_convolution_by_hand() -> None:
    layer = built(layers.Conv2D(5), (4, 6, 3))
    products, x, y, w = 2 * 2 * 24 * 27 * 5, 2 * 72, 2 * 120, 27 * 5 + 5
    for stage, times, moved in (
        ("forward", 1, x + y + w), ("backward data", 1, x + y + w),
        ("backward weights", 1, x + y + w), ("backward", 2, 2 * x + y + 2 * w),
    ):
        taken = work(layer, 2, stage)
        assert taken.gflop == pytest.approx(times * products / 1e9)
        assert taken.gigabytes == pytest.approx(4 * moved / 1e9)


def test_work_of_layers_without_products_by_hand() -> None:
    pool, relu = built(layers.MaxPool2D(2), (4, 6, 3)), built(layers.ReLU(), (7,))
    assert work(pool, 2, "forward").gigabytes == pytest.approx(4 * 2 * (72 + 18) / 1e9)
    assert work(relu, 3, "backward").gigabytes == pytest.approx(4 * 3 * 21 / 1e9)
    assert work(built(layers.Flatten(), (2, 3)), 4, "forward").gigabytes == 0
