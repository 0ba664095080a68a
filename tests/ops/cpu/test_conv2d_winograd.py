"""Winograd's convolution: blocks of tiles, shared among threads, and panels of filters."""

from typing import Any

import numpy as np
import pytest
from convolutions import assert_convolves, problem, run
from numeric import DTYPES

from minicnn.compiling.threads import thread_count, use_threads
from minicnn.ops.cpu import conv2d_winograd


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("image", [(2, 9, 6, 3), (1, 4, 4, 17), (7, 24, 13, 8)], ids=str)
@pytest.mark.parametrize("filters", [1, 40])
@pytest.mark.parametrize("settings", [{"padding": "same"}, {"padding": ((0, 2), (3, 0))}], ids=str)
def test_against_the_reference(dtype: type, image: Any, filters: int, settings: dict) -> None:
    assert_convolves(conv2d_winograd, *problem(image, filters, dtype), 128, **settings)


def test_an_image_gives_the_same_alone_and_among_others() -> None:
    # alone it has 36 tiles, whose filters are shared among threads; together it is their tiles
    x, w, b = problem((6, 24, 24, 16), 40, np.float32)
    dy = np.random.default_rng(0).standard_normal((6, 24, 24, 40)).astype(np.float32)
    y, dx, *_ = run(conv2d_winograd, x, w, b, dy, padding=1)
    for image in (0, 5):
        one = slice(image, image + 1)
        alone = run(conv2d_winograd, x[one], w, b, dy[one], padding=1)
        np.testing.assert_array_equal(y[one], alone[0])
        np.testing.assert_array_equal(dx[one], alone[1])


def test_the_input_gradient_flips_and_transposes_the_filters() -> None:
    x, w, _ = problem((2, 11, 8, 9), 10, np.float64)
    dy = np.random.default_rng(0).standard_normal((2, 11, 8, 10))
    dx = run(conv2d_winograd, x, w, dy=dy, padding=1)[1]
    flipped = np.ascontiguousarray(w[::-1, ::-1].swapaxes(2, 3))
    np.testing.assert_array_equal(dx, run(conv2d_winograd, dy, flipped, padding=1)[0])


@pytest.mark.parametrize("tiles", [49, 96, 97, 1000, 9216])
def test_blocks_share_the_tiles_evenly(tiles: int) -> None:
    threads = thread_count()
    try:
        for count in range(1, threads + 1):
            use_threads(count)
            block = conv2d_winograd._tiles_at_a_time(tiles)
            assert block % conv2d_winograd.TILE_ROWS == 0
            assert block < conv2d_winograd.MOST_TILES + conv2d_winograd.TILE_ROWS
            rounds = -(-tiles // (conv2d_winograd.MOST_TILES * count))
            assert block * rounds * count >= tiles
    finally:
        use_threads(threads)


def test_no_gradient_of_a_bias_that_is_not_there() -> None:
    x, w, _ = problem((1, 5, 5, 2), 3, np.float32)
    assert run(conv2d_winograd, x, w)[3] is None
