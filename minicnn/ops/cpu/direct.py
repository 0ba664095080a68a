"""Convolution of images with one channel, as of a network's first layer.

With one channel the pixels that lie under place (i, j) of neighbouring windows are neighbours
themselves. So a row of y needs KH·KW shifted copies of rows of x, (KH·KW, OW), and y is their
transpose times the filters (KH·KW, K): cols as in `im2col`, but copied in long runs.
"""

import numpy as np
from numba import get_num_threads, njit, prange

from minicnn.ops.caches import Conv2DCache
from minicnn.ops.cpu.blocks import BLOCKS, PARALLEL, WORKER, block_of
from minicnn.ops.cpu.gemm import multiply, panel_width, panels
from minicnn.ops.cpu.im2col import input_gradient, sizes
from minicnn.ops.cpu.simd import is_large, lanes, settle, stream_all

NEAR_BYTES = 16 << 10
"""How large the rows of dy may be that add to dw at a time: they are read for every few pixels of a
window, so that half of a common first-level cache should hold them."""

__all__ = ["convolve", "input_gradient", "weight_gradient"]


def convolve(cache: Conv2DCache, bias: np.ndarray, y: np.ndarray) -> None:
    """``y = x * w + bias``: x (N, H, W, 1), w (KH, KW, 1, K), bias (K,), into y (N, OH, OW, K)."""
    x, w = cache.x, cache.w
    # the bias is the weight of one more pixel, which is 1 everywhere
    matrix, width = panels(np.concatenate([w.reshape(-1, w.shape[3]), bias[None]]))
    _convolve(
        x[..., 0], matrix, width, w.shape[3], y.reshape(-1), sizes(cache), is_large(y),
        lanes(y.dtype),
    )


def weight_gradient(cache: Conv2DCache, dy: np.ndarray) -> np.ndarray:
    """dw (KH, KW, 1, K) of x (N, H, W, 1) and dy (N, OH, OW, K)."""
    x, w = cache.x, cache.w
    dw = np.zeros((get_num_threads(), w.size), x.dtype)
    rows = max(NEAR_BYTES // dy[0, 0].nbytes, 1)
    _correlate(x[..., 0], dy.reshape(-1), dw, w.shape[3], panel_width(x.dtype), sizes(cache), rows)
    return dw.sum(0).reshape(w.shape)


@njit(**WORKER)
def _shift(x, image, p, cols, at, numbers):
    """cols[(i, j), at + q] = x̄[image, p·down + i, q·across + j], for one row of outputs."""
    size_h, size_w, _, _, columns, down, across, top, left = numbers
    _, height, width = x.shape
    for i in range(size_h):
        h = p * down + i - top
        for j in range(size_w):
            row = cols[i * size_w + j, at : at + columns]
            source = x[image, min(max(h, 0), height - 1)]
            # q·across + j - left lies in [0, width) for q from `first` to `last`
            first = min(max((left - j + across - 1) // across, 0), columns)
            last = max(min((width - 1 - j + left) // across + 1, columns), first)
            if not 0 <= h < height:
                first = last = 0
            for q in range(first):
                row[q] = 0
            for q in range(first, last):
                row[q] = source[q * across + j - left]
            for q in range(last, columns):
                row[q] = 0


@njit(**WORKER)
def _convolve_rows(x, w, width, filters, y, numbers, large, lane_count, start, stop):
    """Rows start to stop of outputs, counted over all images."""
    depth, rows, columns = numbers[0] * numbers[1] + 1, numbers[3], numbers[4]
    cols = np.ones((depth, columns), x.dtype)
    flat = cols.reshape(-1)
    near = np.empty(columns * filters, x.dtype)  # a row of outputs, on its way past the caches
    for row in range(start, stop):
        _shift(x, row // rows, row % rows, cols, 0, numbers)
        at = row * columns * filters
        target, to = (near, 0) if large else (y, at)
        multiply(
            flat, 0, 1, columns, w, 0, width, depth * width, target, to, filters,
            columns, filters, depth, width, False,
        )
        if large:
            stream_all(near, y, at, lane_count)
    settle()


@njit(**PARALLEL)
def _convolve(x, w, width, filters, y, numbers, large, lane_count):
    for block in prange(BLOCKS):
        _convolve_rows(
            x, w, width, filters, y, numbers, large, lane_count,
            *block_of(block, x.shape[0] * numbers[3])
        )


@njit(**WORKER)
def _correlate_rows(x, dy, dw, filters, width, numbers, piece, start, stop):
    """What rows start to stop of dy, a piece of them at a time, add to dw (KH·KW, K)."""
    depth, rows, columns = numbers[0] * numbers[1], numbers[3], numbers[4]
    cols = np.empty((depth, piece * columns), x.dtype)
    flat = cols.reshape(-1)
    for first in range(start, stop, piece):
        count = min(piece, stop - first)
        for row in range(first, first + count):
            _shift(x, row // rows, row % rows, cols, (row - first) * columns, numbers)
        multiply(
            flat, 0, piece * columns, 1, dy, first * columns * filters, filters, width,
            dw, 0, filters, depth, filters, count * columns, width, True,
        )


@njit(**PARALLEL)
def _correlate(x, dy, dw, filters, width, numbers, piece):
    rows, threads = x.shape[0] * numbers[3], dw.shape[0]
    for thread in prange(threads):
        _correlate_rows(
            x, dy, dw[thread], filters, width, numbers, piece,
            thread * rows // threads, (thread + 1) * rows // threads,
        )
