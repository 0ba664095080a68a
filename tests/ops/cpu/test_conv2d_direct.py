"""The convolution of images with one channel: bands of pixels, six at a time."""

from typing import Any

import numpy as np
import pytest
from convolutions import assert_convolves, problem, run
from numeric import DTYPES

from minicnn.ops.cpu import conv2d_direct


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("size", "settings"), [
    ((3, 3), {"padding": "same"}),
    ((2, 5), {"stride": (3, 2), "padding": ((4, 0), (1, 6))}),
    ((1, 1), {"stride": 2}),
    ((8, 13), {}),  # one window
], ids=str)
@pytest.mark.parametrize("filters", [1, 33])
def test_against_the_reference(dtype: type, size: Any, settings: dict, filters: int) -> None:
    arrays = problem((3, 8, 13, 1), filters, dtype, size)
    assert_convolves(conv2d_direct, *arrays, 256, **settings)


@pytest.mark.parametrize("columns", range(1, 14))
def test_rows_that_no_six_pixels_fill(columns: int) -> None:
    x, w, b = problem((2, 4, columns + 2, 1), 5, np.float64)
    assert_convolves(conv2d_direct, x, w, b, 64)


def test_each_image_has_its_own_band() -> None:
    x, w, b = problem((5, 6, 9, 1), 7, np.float32)
    dy = np.random.default_rng(0).standard_normal((5, 6, 9, 7)).astype(np.float32)
    y, dx, *_ = run(conv2d_direct, x, w, b, dy, padding=1)
    for image in range(5):
        one = slice(image, image + 1)
        alone = run(conv2d_direct, x[one], w, b, dy[one], padding=1)
        np.testing.assert_array_equal(y[one], alone[0])
        np.testing.assert_array_equal(dx[one], alone[1])


def test_no_gradient_of_a_bias_that_is_not_there() -> None:
    x, w, b = problem((1, 5, 5, 1), 3, np.float32)
    dw, db = run(conv2d_direct, x, w)[2:]
    assert db is None
    np.testing.assert_array_equal(dw, run(conv2d_direct, x, w, b)[2])
