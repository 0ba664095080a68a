"""Convolution with 3×3 filters at stride 1 by Winograd's F(4×4, 3×3): 36 multiplications, not 144.

A tile y of 4×4 outputs needs 6×6 inputs d. For one channel c and one filter g::

    y = Aᵀ [ (G g Gᵀ) ⊙ (Bᵀ d B) ] A          (Lavin and Gray 2015, arXiv:1509.09308, equation 8)

Summed over channels, the products at each of the 36 frequencies f are one matrix product::

    V[f] (tiles, C) = Bᵀ d B       U[f] (C, K) = G g Gᵀ
    M[f] (tiles, K) = V[f] U[f]              y = Aᵀ M A + bias

    dx: the same with dy for x, and w flipped and transposed
    dU[f] (C, K) = V[f]ᵀ (A dy Aᵀ)[f]       dw = Gᵀ dU G

The matrices are in `conv2d_winograd_matrices`, the transforms of tiles in `conv2d_winograd_tiles`.
This file cuts a convolution into blocks: each thread takes a few tiles at a time, so that their V
and M stay in its second-level cache.
"""

from typing import NamedTuple

import numpy as np
from numba.extending import register_jitable

from minicnn.compiling.kernels import parallel, worker
from minicnn.compiling.threads import thread_count
from minicnn.ops.conv2d import Conv2DCache
from minicnn.ops.cpu.conv2d_im2col import bias_gradient
from minicnn.ops.cpu.conv2d_winograd_tiles import (
    FREQUENCIES,
    SKEW,
    Corner,
    Frequencies,
    filter_gradient,
    first_output,
    transform_filters,
    transform_gradient,
    transform_input,
    transform_output,
)
from minicnn.ops.cpu.linalg import memory
from minicnn.ops.cpu.linalg.blocks import BLOCKS, round_up
from minicnn.ops.cpu.linalg.gemm import multiply
from minicnn.ops.cpu.linalg.layout import Matrix, Panels, panel_width, panel_width_of
from minicnn.ops.cpu.linalg.processor import lanes
from minicnn.ops.cpu.linalg.register_tile import TILE_ROWS
from minicnn.ops.cpu.linalg.simd import lanes_of
from minicnn.ops.cpu.linalg.transposition import transpose

MOST_TILES = 48
"""Tiles that a thread takes at a time at most: their transforms fit into a second-level cache."""


def convolve(cache: Conv2DCache, bias: np.ndarray, y: np.ndarray) -> None:
    """``y = x * w + bias``: x (N, H, W, C), w (3, 3, C, K), bias (K,), into y (N, OH, OW, K)."""
    (top, _), (left, _) = cache.window.padding
    _convolve(cache.x, cache.w, bias, y, (top, left))


def input_gradient(cache: Conv2DCache, dy: np.ndarray) -> np.ndarray:
    """dx (N, H, W, C) of dy (N, OH, OW, K): a convolution of dy with w flipped and transposed.

    The pixel (h, v) of x went into the outputs (h + top - i, v + left - j).
    """
    (top, _), (left, _) = cache.window.padding
    dx = memory.empty(cache.x.shape, cache.x.dtype)
    flipped = memory.empty((3, 3, dy.shape[3], dx.shape[3]), dx.dtype)
    for i, j in np.ndindex(3, 3):  # (C, K) to (K, C)
        transpose(BLOCKS, cache.w[2 - i, 2 - j], flipped[i, j])
    _convolve(dy, flipped, np.zeros(dx.shape[3], dx.dtype), dx, (2 - top, 2 - left))
    return dx


def weight_gradients(
    cache: Conv2DCache, dy: np.ndarray
) -> tuple[np.ndarray, np.ndarray | None]:
    """dw (3, 3, C, K) and db (K,), or None, of dy (N, OH, OW, K)."""
    x, channels, filters = cache.x, *cache.w.shape[2:]
    (top, _), (left, _) = cache.window.padding
    columns = round_up(filters, panel_width(x.dtype))
    block = _tiles_at_a_time(_count_tiles(dy.shape))
    scratch = _scratch(
        thread_count(), block, round_up(channels, lanes(x.dtype)) + columns, x.dtype
    )
    du = memory.empty((len(scratch), FREQUENCIES * (channels * columns + SKEW)), x.dtype)
    _filter_gradient(len(scratch), x, dy, du, scratch, (top, left), block)
    dw = memory.empty((3, 3, channels, filters), x.dtype)
    _gather_gradient(channels, du, dw)
    return dw, bias_gradient(cache, dy)


def _convolve(
    x: np.ndarray, w: np.ndarray, bias: np.ndarray, y: np.ndarray, origin: tuple[int, int]
) -> None:
    """x (N, H, W, C) and w (3, 3, C, K) into y (N, OH, OW, K).

    Output (p, q) sees the pixels from (p, q) - origin on; pixels outside x are 0.
    """
    channels, filters = w.shape[2:]
    step, width = lanes(x.dtype), panel_width(x.dtype)
    u = memory.empty((FREQUENCIES * (round_up(filters, width) * channels + SKEW),), x.dtype)
    padded_bias = np.zeros(round_up(filters, step), x.dtype)
    padded_bias[:filters] = bias
    tiles = _count_tiles(y.shape)
    if tiles <= MOST_TILES:  # the filters are the large part of the work
        scratch = _scratch(-(-filters // width), tiles, round_up(channels, step) + width, x.dtype)
        _convolve_by_panels(len(scratch), x, w, u, padded_bias, y, scratch, origin)
    else:
        _transform_filters(w.shape[2], w, u)
        block = _tiles_at_a_time(tiles)
        scratch = _scratch(
            thread_count(), block, round_up(channels, step) + round_up(filters, step), x.dtype
        )
        _convolve_by_tiles(len(scratch), x, u, padded_bias, y, scratch, origin, block)


def _tiles_at_a_time(tiles: int) -> int:
    """Into what blocks to cut the tiles, so that all threads get as many."""
    threads = thread_count()
    rounds = -(-tiles // (threads * MOST_TILES))
    return round_up(-(-tiles // (threads * rounds)), TILE_ROWS)


def _scratch(count: int, block: int, columns: int, dtype: np.dtype) -> np.ndarray:
    """So many times room for V and M of a block of tiles, which have so many columns together."""
    return memory.empty((count, FREQUENCIES * (block * columns + 2 * SKEW)), dtype)


@register_jitable
def _count_tiles(y_shape: tuple[int, ...]) -> int:
    """How many 4×4 tiles the outputs (N, OH, OW, K) have."""
    return y_shape[0] * ((y_shape[1] + 3) // 4) * ((y_shape[2] + 3) // 4)


class Part(NamedTuple):
    """What of a convolution a thread does: from the first to one past the last."""

    first_tile: int
    last_tile: int
    first_filter: int
    last_filter: int


@worker
def _share(thread, threads, y, block):
    """A thread's share of the tiles, in whole blocks, with all filters."""
    tiles = _count_tiles(y.shape)
    blocks = (tiles + block - 1) // block
    start, stop = thread * blocks // threads, (thread + 1) * blocks // threads
    return Part(start * block, min(stop * block, tiles), 0, y.shape[3])


@worker
def _in_rows(numbers, rows, columns):
    """Matrices (rows, columns) of all frequencies, one after the other."""
    return Frequencies(numbers, rows * columns + SKEW, columns, panel_width_of(numbers))


@worker
def _in_panels(numbers, rows, columns):
    """Matrices (rows, columns) of all frequencies, cut into panels of columns."""
    width = panel_width_of(numbers)
    return Frequencies(numbers, rows * round_up(columns, width) + SKEW, width, rows * width)


@parallel
def _transform_filters(c, w, u):
    """U of all filters: each thread takes some of the channels."""
    _, _, channels, filters = w.shape
    whole = round_up(filters, panel_width_of(w))
    transform_filters(w, c, 0, whole, _in_panels(u, channels, filters))


@parallel
def _convolve_by_tiles(thread, x, u, bias, y, scratch, origin, block):
    """Each thread takes some of the tiles, with all filters."""
    part = _share(thread, scratch.shape[0], y, block)
    _convolve_part(x, u, bias, y, scratch[thread], origin, block, part)


@parallel
def _convolve_by_panels(panel, x, w, u, bias, y, scratch, origin):
    """Each thread takes some of the filters, with all tiles."""
    scratch = scratch[panel]
    channels, filters = x.shape[3], y.shape[3]
    width, tiles = panel_width_of(w), _count_tiles(y.shape)
    first = panel * width
    for c in range(channels):
        transform_filters(w, c, first, first + width, _in_panels(u, channels, filters))
    part = Part(0, tiles, first, min(first + width, filters))
    _convolve_part(x, u, bias, y, scratch, origin, tiles, part)


@worker
def _convolve_part(x, u, bias, y, scratch, origin, block, part):
    """A part of y (N, OH, OW, K), a block of tiles at a time."""
    channels, width, lane_count = x.shape[3], panel_width_of(x), lanes_of(x)
    columns = round_up(part.last_filter - part.first_filter, lane_count)
    v = _in_rows(scratch, block, round_up(channels, lane_count))
    m = _in_rows(scratch[FREQUENCIES * v.step :], block, columns)
    filters = _in_panels(u, channels, y.shape[3])
    filters_at = part.first_filter // width * filters.panel_step
    for first in range(part.first_tile, part.last_tile, block):
        count = min(block, part.last_tile - first)
        for t in range(count):
            image, p, q = first_output(first + t, y)
            transform_input(x, Corner(image, p - origin[0], q - origin[1]), v, t)
        for f in range(FREQUENCIES):  # M[f] (tiles, K) = V[f] (tiles, C) U[f] (C, K)
            multiply(
                Matrix(v.numbers, f * v.step, v.row_step, 1),
                Panels(u, f * filters.step + filters_at, filters.row_step, filters.panel_step),
                Matrix(m.numbers, f * m.step, m.row_step, 1),
                count, columns, channels, False,
            )
        for t in range(count):
            corner = first_output(first + t, y)
            transform_output(m, t, bias, y, corner, part.first_filter, part.last_filter)


@parallel
def _filter_gradient(thread, x, dy, du, scratch, origin, block):
    """dU (threads, 36, C, K): each thread adds up some of the tiles."""
    part = _share(thread, scratch.shape[0], dy, block)
    du, scratch = du[thread], scratch[thread]
    channels, filters, width = x.shape[3], dy.shape[3], panel_width_of(x)
    columns = round_up(filters, width)
    v = _in_rows(scratch, block, round_up(channels, lanes_of(x)))
    m = _in_panels(scratch[FREQUENCIES * v.step :], block, filters)
    sums = _in_rows(du, channels, columns)
    if part.first_tile == part.last_tile:
        du[:] = 0
    for first in range(part.first_tile, part.last_tile, block):
        count = min(block, part.last_tile - first)
        for t in range(count):
            corner = first_output(first + t, dy)
            image, p, q = corner
            transform_input(x, Corner(image, p - origin[0], q - origin[1]), v, t)
            transform_gradient(dy, corner, m, t)
        for f in range(FREQUENCIES):  # dU[f] (C, K) += V[f]ᵀ (C, tiles) M[f] (tiles, K)
            multiply(
                Matrix(v.numbers, f * v.step, 1, v.row_step),
                Panels(m.numbers, f * m.step, m.row_step, m.panel_step),
                Matrix(du, f * sums.step, sums.row_step, 1),
                channels, columns, count, first > part.first_tile,
            )


@parallel
def _gather_gradient(c, du, dw):
    """dw from dU of all threads: each thread takes some of the channels."""
    _, _, channels, filters = dw.shape
    columns = round_up(filters, panel_width_of(dw))
    filter_gradient(_in_rows(du, channels, columns), c, dw)
