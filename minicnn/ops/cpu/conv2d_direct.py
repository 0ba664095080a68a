"""Convolution of images with one channel, as of a network's first layer.

With one channel the pixels under neighbouring windows are neighbours themselves: a row of y reads
KH rows of x, a band that fits into the first cache. Six pixels of it at a time, each spread over a
register, are multiplied with a panel of filters, or of output gradients. im2col is not needed.
"""

from typing import NamedTuple

import numpy as np

from minicnn.compiling.kernels import parallel, worker
from minicnn.compiling.threads import thread_count
from minicnn.ops.conv2d import Conv2DCache
from minicnn.ops.cpu.conv2d_im2col import geometry_of, input_gradient
from minicnn.ops.cpu.linalg.blocks import BLOCKS, block_of, round_up
from minicnn.ops.cpu.linalg.layout import (
    WIDE,
    cut_into_panels,
    panel_width,
    panel_width_of,
    panels_of,
)
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


class Band(NamedTuple):
    """The rows of x̄ under a row of outputs, and where the pixels of its first window lie in them.

    The first row begins at ``pixels[0]``, each other `row_step` after the one before.
    """

    pixels: np.ndarray
    row_step: int
    offsets: np.ndarray


def convolve(cache: Conv2DCache, bias: np.ndarray, y: np.ndarray) -> None:
    """``y = x * w + bias``: x (N, H, W, 1), w (KH, KW, 1, K), bias (K,), into y (N, OH, OW, K)."""
    x, w = cache.x, cache.w
    # a panel is a row of filters for each pixel of a window, and a row of biases
    panels = cut_into_panels(np.concatenate([w.reshape(-1, w.shape[3]), bias[None]]))
    _convolve(
        BLOCKS, x[..., 0], panels, w.shape[3], y.reshape(-1), geometry_of(cache, y), is_large(y)
    )


def weight_gradients(
    cache: Conv2DCache, dy: np.ndarray
) -> tuple[np.ndarray, np.ndarray | None]:
    """dw (KH, KW, 1, K) and db (K,), or None, of x (N, H, W, 1) and dy (N, OH, OW, K).

    db is what a tenth pixel of a 3×3 window would get that is always 1.
    """
    x, w = cache.x, cache.w
    filters = w.shape[3]
    columns = round_up(filters, panel_width(x.dtype))
    sums = np.zeros((thread_count(), (w.size // filters + 1) * columns), x.dtype)
    _weight_gradient(len(sums), x[..., 0], dy.reshape(-1), sums, filters, geometry_of(cache, dy))
    gradients = sums.sum(0).reshape(-1, columns)[:, :filters]  # (KH·KW + 1, K)
    db = gradients[-1].copy() if cache.has_bias else None
    return np.ascontiguousarray(gradients[:-1]).reshape(w.shape), db


@worker
def _band_of(x, geometry, rows_of_ones):
    """Room for a band, with so many rows of ones below, whose first is one more of the window."""
    height, width = geometry.kernel_height, geometry.kernel_width
    # as far as a row's last pixels reach
    step = (geometry.output_width - 1 + PIXELS - 1) * geometry.across + width
    offsets = np.empty(height * width + rows_of_ones, np.intp)
    for t in range(offsets.size):
        offsets[t] = t // width * step + t % width
    pixels = np.empty((height + rows_of_ones) * step, x.dtype)
    pixels[: height * step] = 0
    pixels[height * step :] = 1
    return Band(pixels, step, offsets)


@worker
def _fill_band(x, image, p, band, geometry):
    """The rows of x̄ under row p of outputs: row i of the band is row p·down + i."""
    _, height, width = x.shape
    for i in range(geometry.kernel_height):
        h = p * geometry.down + i - geometry.top
        begin = i * band.row_step + geometry.left
        row = band.pixels[begin : begin + width]
        if 0 <= h < height:
            source = x[image, h]
            for v in range(row.size):
                row[v] = source[v]
        else:
            row[:] = 0


@worker
def _tile(band, at, across, w, w_at):
    """Six neighbouring outputs, of a panel of filters: Σ_t pixels[at + offset_t] · w[t] + bias."""
    pixels, offsets, numbers = band.pixels, band.offsets, w.numbers
    c0 = c1 = c2 = c3 = c4 = c5 = load(numbers, w_at + offsets.size * w.row_step, WIDE)
    for t in range(offsets.size):
        row, pixel = load(numbers, w_at + t * w.row_step, WIDE), at + offsets[t]
        c0 = multiply_add(spread(pixels, pixel, WIDE), row, c0)
        c1 = multiply_add(spread(pixels, pixel + across, WIDE), row, c1)
        c2 = multiply_add(spread(pixels, pixel + 2 * across, WIDE), row, c2)
        c3 = multiply_add(spread(pixels, pixel + 3 * across, WIDE), row, c3)
        c4 = multiply_add(spread(pixels, pixel + 4 * across, WIDE), row, c4)
        c5 = multiply_add(spread(pixels, pixel + 5 * across, WIDE), row, c5)
    return c0, c1, c2, c3, c4, c5


@worker
def _put_pixel(y, at, vector, valid, large):
    """The first `valid` filters of one output."""
    if valid == panel_width_of(y):
        put(y, at, vector, large)
    else:
        store_part(y, at, valid, vector)


@worker
def _put_tile(y, at, step, tile, count, valid, large):
    """The first `count` outputs of a tile, `step` apart."""
    _put_pixel(y, at, tile[0], valid, large)
    if count > 1:
        _put_pixel(y, at + step, tile[1], valid, large)
    if count > 2:
        _put_pixel(y, at + 2 * step, tile[2], valid, large)
    if count > 3:
        _put_pixel(y, at + 3 * step, tile[3], valid, large)
    if count > 4:
        _put_pixel(y, at + 4 * step, tile[4], valid, large)
    if count > 5:
        _put_pixel(y, at + 5 * step, tile[5], valid, large)


@parallel
def _convolve(block, x, w, filters, y, geometry, large):
    """Rows start to stop of outputs, counted over all images."""
    start, stop = block_of(block, x.shape[0] * geometry.output_height)
    rows, columns, across = geometry.output_height, geometry.output_width, geometry.across
    width, band = panel_width_of(y), _band_of(x, geometry, 0)
    panels = panels_of(w, band.offsets.size + 1)
    for row in range(start, stop):
        _fill_band(x, row // rows, row % rows, band, geometry)
        for first in range(0, filters, width):
            w_at = first // width * panels.panel_step
            for q in range(0, columns, PIXELS):
                tile = _tile(band, q * across, across, panels, w_at)
                _put_tile(
                    y, (row * columns + q) * filters + first, filters, tile,
                    min(columns - q, PIXELS), min(filters - first, width), large,
                )
    settle()


@worker
def _gradient_tile(band, t, across, dy, at, filters, columns, valid):
    """Six weights from place t of the window on, of a panel: Σ_q pixels[offset + q·across] · dy[q].

    Places after the last repeat it.
    """
    pixels, offsets, last = band.pixels, band.offsets, band.offsets.size - 1
    o0, o1, o2 = offsets[t], offsets[min(t + 1, last)], offsets[min(t + 2, last)]
    o3, o4, o5 = offsets[min(t + 3, last)], offsets[min(t + 4, last)], offsets[min(t + 5, last)]
    c0 = c1 = c2 = c3 = c4 = c5 = zeros(dy, WIDE)
    for q in range(columns):
        row, pixel = load_part(dy, at + q * filters, valid, WIDE), q * across
        c0 = multiply_add(spread(pixels, o0 + pixel, WIDE), row, c0)
        c1 = multiply_add(spread(pixels, o1 + pixel, WIDE), row, c1)
        c2 = multiply_add(spread(pixels, o2 + pixel, WIDE), row, c2)
        c3 = multiply_add(spread(pixels, o3 + pixel, WIDE), row, c3)
        c4 = multiply_add(spread(pixels, o4 + pixel, WIDE), row, c4)
        c5 = multiply_add(spread(pixels, o5 + pixel, WIDE), row, c5)
    return c0, c1, c2, c3, c4, c5


@worker
def _add_weight(dw, at, vector):
    """Add a panel of one weight's gradients."""
    store(dw, at, load(dw, at, WIDE) + vector)


@worker
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


@parallel
def _weight_gradient(thread, x, dy, dw, filters, geometry):
    """What rows start to stop of dy add to dw (KH·KW + 1, whole panels of K)."""
    rows, threads = x.shape[0] * geometry.output_height, dw.shape[0]
    start, stop = thread * rows // threads, (thread + 1) * rows // threads
    dw = dw[thread]
    rows, columns = geometry.output_height, geometry.output_width
    band = _band_of(x, geometry, 1)
    places = band.offsets.size
    whole = dw.size // places
    for row in range(start, stop):
        _fill_band(x, row // rows, row % rows, band, geometry)
        for first in range(0, filters, panel_width_of(dw)):
            at = row * columns * filters + first
            for t in range(0, places, PIXELS):
                tile = _gradient_tile(
                    band, t, geometry.across, dy, at, filters, columns, filters - first
                )
                _add_tile(dw, t * whole + first, whole, tile, min(places - t, PIXELS))
