"""Convolution of images with one channel, as of a network's first layer.

With one channel the pixels under neighbouring windows are neighbours themselves: a row of y reads
KH rows of x, a band that fits into the first cache. Six pixels of it at a time, each spread over a
register, meet a panel of filters, or of output gradients; nothing is laid out as cols.
"""

import numpy as np
from numba import get_num_threads, njit, prange

from minicnn.ops.conv2d import Conv2DCache
from minicnn.ops.cpu.conv2d_im2col import input_gradient, sizes
from minicnn.ops.cpu.linalg.blocks import BLOCKS, PARALLEL, WORKER, block_of
from minicnn.ops.cpu.linalg.gemm import WIDE, panel_width, panels
from minicnn.ops.cpu.linalg.simd import (
    is_large,
    load,
    load_part,
    multiply_add,
    put,
    settle,
    spread,
    store,
    store_part,
    zeros,
)

PIXELS = 6
"""Pixels at a time: with two registers of filters each they take 12 registers of 16."""

__all__ = ["convolve", "input_gradient", "weight_gradients"]


def convolve(cache: Conv2DCache, bias: np.ndarray, y: np.ndarray) -> None:
    """``y = x * w + bias``: x (N, H, W, 1), w (KH, KW, 1, K), bias (K,), into y (N, OH, OW, K)."""
    x, w = cache.x, cache.w
    # a panel is a row of filters for each pixel of a window, and a row of biases
    matrix, width = panels(np.concatenate([w.reshape(-1, w.shape[3]), bias[None]]))
    _convolve(x[..., 0], matrix, width, w.shape[3], y.reshape(-1), sizes(cache), is_large(y))


def weight_gradients(
    cache: Conv2DCache, dy: np.ndarray
) -> tuple[np.ndarray, np.ndarray | None]:
    """dw (KH, KW, 1, K) and db (K,), or None, of x (N, H, W, 1) and dy (N, OH, OW, K).

    db is what a tenth pixel of a 3×3 window would get that is always 1.
    """
    x, w = cache.x, cache.w
    width, filters = panel_width(x.dtype), w.shape[3]
    columns = -(-filters // width) * width
    sums = np.zeros((get_num_threads(), (w.size // filters + 1) * columns), x.dtype)
    _correlate(x[..., 0], dy.reshape(-1), sums, filters, width, sizes(cache))
    gradients = sums.sum(0).reshape(-1, columns)[:, :filters]  # (KH·KW + 1, K)
    db = gradients[-1].copy() if cache.has_bias else None
    return np.ascontiguousarray(gradients[:-1]).reshape(w.shape), db


@njit(**WORKER)
def _band_of(x, numbers):
    """Room for a band, the step between its rows, and where a window's pixels lie in it."""
    size_h, size_w, _, _, columns, _, across, _, _ = numbers
    step = (columns - 1 + PIXELS - 1) * across + size_w  # as far as a row's last pixels reach
    offsets = np.empty(size_h * size_w, np.intp)
    for t in range(offsets.size):
        offsets[t] = t // size_w * step + t % size_w
    return np.zeros(size_h * step, x.dtype), step, offsets


@njit(**WORKER)
def _with_ones(band, step, offsets):
    """The band with a row of ones below, and its place as one pixel more of the window."""
    more = np.ones(band.size + step, band.dtype)
    more[: band.size] = band
    places = np.empty(offsets.size + 1, np.intp)
    places[: offsets.size] = offsets
    places[offsets.size] = band.size
    return more, step, places


@njit(**WORKER)
def _fill_band(x, image, p, band, step, numbers):
    """The rows of x̄ under row p of outputs: from band[i · step] on row p·down + i."""
    size_h, _, _, _, _, down, _, top, left = numbers
    _, height, width = x.shape
    for i in range(size_h):
        h = p * down + i - top
        row = band[i * step + left : i * step + left + width]
        if 0 <= h < height:
            source = x[image, h]
            for v in range(row.size):
                row[v] = source[v]
        else:
            row[:] = 0


@njit(**WORKER)
def _tile(band, at, across, offsets, w, w_at, width):
    """Six neighbouring outputs, of a panel of filters: Σ_t band[at + offset_t] · w[t] + bias."""
    c0 = c1 = c2 = c3 = c4 = c5 = load(w, w_at + offsets.size * width, WIDE)
    for t in range(offsets.size):
        row, pixel = load(w, w_at + t * width, WIDE), at + offsets[t]
        c0 = multiply_add(spread(band, pixel, WIDE), row, c0)
        c1 = multiply_add(spread(band, pixel + across, WIDE), row, c1)
        c2 = multiply_add(spread(band, pixel + 2 * across, WIDE), row, c2)
        c3 = multiply_add(spread(band, pixel + 3 * across, WIDE), row, c3)
        c4 = multiply_add(spread(band, pixel + 4 * across, WIDE), row, c4)
        c5 = multiply_add(spread(band, pixel + 5 * across, WIDE), row, c5)
    return c0, c1, c2, c3, c4, c5


@njit(**WORKER)
def _put_pixel(y, at, vector, valid, width, large):
    """The first `valid` filters of one output."""
    if valid == width:
        put(y, at, vector, large)
    else:
        store_part(y, at, valid, vector)


@njit(**WORKER)
def _put_tile(y, at, step, tile, count, valid, width, large):
    """The first `count` outputs of a tile, `step` apart."""
    _put_pixel(y, at, tile[0], valid, width, large)
    if count > 1:
        _put_pixel(y, at + step, tile[1], valid, width, large)
    if count > 2:
        _put_pixel(y, at + 2 * step, tile[2], valid, width, large)
    if count > 3:
        _put_pixel(y, at + 3 * step, tile[3], valid, width, large)
    if count > 4:
        _put_pixel(y, at + 4 * step, tile[4], valid, width, large)
    if count > 5:
        _put_pixel(y, at + 5 * step, tile[5], valid, width, large)


@njit(**WORKER)
def _convolve_rows(x, w, width, filters, y, numbers, large, start, stop):
    """Rows start to stop of outputs, counted over all images."""
    rows, columns, across = numbers[3], numbers[4], numbers[6]
    band, step, offsets = _band_of(x, numbers)
    for row in range(start, stop):
        _fill_band(x, row // rows, row % rows, band, step, numbers)
        for first in range(0, filters, width):
            w_at = first // width * (offsets.size + 1) * width
            for q in range(0, columns, PIXELS):
                tile = _tile(band, q * across, across, offsets, w, w_at, width)
                _put_tile(
                    y, (row * columns + q) * filters + first, filters, tile,
                    min(columns - q, PIXELS), min(filters - first, width), width, large,
                )
    settle()


@njit(**PARALLEL)
def _convolve(x, w, width, filters, y, numbers, large):
    for block in prange(BLOCKS):
        _convolve_rows(
            x, w, width, filters, y, numbers, large, *block_of(block, x.shape[0] * numbers[3])
        )


@njit(**WORKER)
def _gradient_tile(band, offsets, t, across, dy, at, filters, columns, valid):
    """Six weights from place t of the window on, of a panel: Σ_q band[offset + q·across] · dy[q].

    Places after the last repeat it.
    """
    last = offsets.size - 1
    o0, o1, o2 = offsets[t], offsets[min(t + 1, last)], offsets[min(t + 2, last)]
    o3, o4, o5 = offsets[min(t + 3, last)], offsets[min(t + 4, last)], offsets[min(t + 5, last)]
    c0 = c1 = c2 = c3 = c4 = c5 = zeros(dy, WIDE)
    for q in range(columns):
        row, pixel = load_part(dy, at + q * filters, valid, WIDE), q * across
        c0 = multiply_add(spread(band, o0 + pixel, WIDE), row, c0)
        c1 = multiply_add(spread(band, o1 + pixel, WIDE), row, c1)
        c2 = multiply_add(spread(band, o2 + pixel, WIDE), row, c2)
        c3 = multiply_add(spread(band, o3 + pixel, WIDE), row, c3)
        c4 = multiply_add(spread(band, o4 + pixel, WIDE), row, c4)
        c5 = multiply_add(spread(band, o5 + pixel, WIDE), row, c5)
    return c0, c1, c2, c3, c4, c5


@njit(**WORKER)
def _add_weight(dw, at, vector):
    """Add a panel of one weight's gradients."""
    store(dw, at, load(dw, at, WIDE) + vector)


@njit(**WORKER)
def _add_tile(dw, at, step, tile, count):
    """Add the first `count` weights of a tile, `step` apart."""
    _add_weight(dw, at, tile[0])
    if count > 1:
        _add_weight(dw, at + step, tile[1])
    if count > 2:
        _add_weight(dw, at + 2 * step, tile[2])
    if count > 3:
        _add_weight(dw, at + 3 * step, tile[3])
    if count > 4:
        _add_weight(dw, at + 4 * step, tile[4])
    if count > 5:
        _add_weight(dw, at + 5 * step, tile[5])


@njit(**WORKER)
def _correlate_rows(x, dy, dw, filters, width, numbers, start, stop):
    """What rows start to stop of dy add to dw (KH·KW + 1, whole panels of K)."""
    rows, columns, across = numbers[3], numbers[4], numbers[6]
    band, step, offsets = _with_ones(*_band_of(x, numbers))
    whole = dw.size // offsets.size
    for row in range(start, stop):
        _fill_band(x, row // rows, row % rows, band, step, numbers)
        for first in range(0, filters, width):
            at = row * columns * filters + first
            for t in range(0, offsets.size, PIXELS):
                tile = _gradient_tile(
                    band, offsets, t, across, dy, at, filters, columns, filters - first
                )
                _add_tile(dw, t * whole + first, whole, tile, min(offsets.size - t, PIXELS))


@njit(**PARALLEL)
def _correlate(x, dy, dw, filters, width, numbers):
    rows, threads = x.shape[0] * numbers[3], dw.shape[0]
    for thread in prange(threads):
        _correlate_rows(
            x, dy, dw[thread], filters, width, numbers,
            thread * rows // threads, (thread + 1) * rows // threads,
        )
