"""Convolution as a matrix product, for any kernel and stride: lay out the pixels under each window.

``y = cols w`` with cols (N·OH·OW, KH·KW·C) and w (KH·KW·C, K): the im2col method of Chellapilla,
Puri and Simard 2006, *High performance convolutional neural networks for document processing*.
A whole batch's cols would be KH·KW times the size of x, so each thread lays out a few rows, as many
as its second-level cache holds, and uses them while they are there.
"""

import numpy as np
from numba import get_num_threads, njit, prange

from minicnn.ops.conv2d import Conv2DCache
from minicnn.ops.cpu.linalg import memory
from minicnn.ops.cpu.linalg.blocks import BLOCKS, PARALLEL, WORKER, block_of
from minicnn.ops.cpu.linalg.gemm import TILE_ROWS, multiply, panel_width, panels
from minicnn.ops.cpu.linalg.sums import column_sums

CHUNK_BYTES = 512 << 10
"""How large a few rows of cols and of y may be together: half of a common second-level cache."""


def convolve(cache: Conv2DCache, bias: np.ndarray, y: np.ndarray) -> None:
    """``y = cols w + bias``, into y (N, OH, OW, K); bias (K,)."""
    x, w = cache.x, cache.w
    matrix, width = panels(w.reshape(-1, w.shape[3]))
    _convolve(
        _pixel_rows(x), matrix, width, bias, y.reshape(-1), sizes(cache), _chunk(cache)
    )


def input_gradient(cache: Conv2DCache, dy: np.ndarray) -> np.ndarray:
    """``dcols = dy wᵀ``, gathered into dx, the reverse of laying pixels out.

    dy (N, OH, OW, K) -> dx (N, H, W, C).
    """
    x, w = cache.x, cache.w
    matrix, width = panels(w.reshape(-1, w.shape[3]).T)
    dx = memory.empty(x.shape, x.dtype)
    _spread_back(
        dy.reshape(-1), matrix, width, w.shape[3], _pixel_rows(dx), sizes(cache), _chunk(cache)
    )
    return dx


def weight_gradients(
    cache: Conv2DCache, dy: np.ndarray
) -> tuple[np.ndarray, np.ndarray | None]:
    """``dw = colsᵀ dy``: dy (N, OH, OW, K) -> dw (KH, KW, C, K), db (K,) or None."""
    x, w = cache.x, cache.w
    dw = np.zeros((get_num_threads(), w.size), x.dtype)
    _correlate(
        _pixel_rows(x), dy.reshape(-1), dw, w.shape[3], panel_width(x.dtype), sizes(cache),
        _chunk(cache),
    )
    return dw.sum(0).reshape(w.shape), bias_gradient(cache, dy)


def bias_gradient(cache: Conv2DCache, dy: np.ndarray) -> np.ndarray | None:
    """``db = Σ dy`` over images and pixels: dy (N, OH, OW, K) -> db (K,); None without a bias."""
    if not cache.has_bias:
        return None
    return column_sums(dy.reshape(-1, dy.shape[3])).astype(dy.dtype)


def _pixel_rows(images: np.ndarray) -> np.ndarray:
    """Images (N, H, W, C) as (N, H, W·C): neighbouring pixels are one run of numbers."""
    return images.reshape(*images.shape[:2], -1)


def sizes(cache: Conv2DCache) -> tuple[int, ...]:
    """The sizes as plain numbers: (KH, KW, C, OH, OW, down, across, top, left)."""
    window = cache.window
    return (
        *cache.w.shape[:3], *cache.y_shape[1:3], *window.stride,
        window.padding[0][0], window.padding[1][0],
    )


def _chunk(cache: Conv2DCache) -> int:
    """How many rows of cols to lay out at a time, a multiple of the products' tile."""
    row_bytes = cache.w[..., 0].nbytes + cache.w.shape[3] * cache.w.itemsize
    return max(CHUNK_BYTES // row_bytes // TILE_ROWS, 1) * TILE_ROWS


@njit(**WORKER)
def _place(row, numbers):
    """Image, and first pixel down and across, of the window that this row of cols holds."""
    _, _, _, height_out, width_out, down, across, top, left = numbers
    image, p = row // (height_out * width_out), row // width_out % height_out
    return image, p * down - top, row % width_out * across - left


@njit(**WORKER)
def _inside(v, size_w, width):
    """First column of a window starting at pixel v that lies in the image, and one past the last.

    The same for every row of the window; a window wholly outside has none.
    """
    first = min(max(-v, 0), size_w)
    return first, max(min(size_w, width - v), first)


@njit(**WORKER)
def _im2col(x, cols, first_row, numbers):
    """cols[(n, p, q), (i, j, c)] = x̄[n, p·down + i, q·across + j, c], from row first_row on."""
    size_h, size_w, channels = numbers[:3]
    height, width = x.shape[1], x.shape[2] // channels
    for r in range(len(cols)):
        image, h, v = _place(first_row + r, numbers)
        first, last = _inside(v, size_w, width)
        for i in range(size_h):
            places = cols[r, i * size_w * channels : (i + 1) * size_w * channels]
            visible = 0 <= h + i < height
            if not visible or last - first < size_w:
                places[:] = 0
            if visible:
                target = places[first * channels : last * channels]
                source = x[image, h + i, (v + first) * channels : (v + last) * channels]
                for c in range(len(target)):
                    target[c] = source[c]


@njit(**WORKER)
def _add_col2im(cols, dx, first_row, numbers):
    """dx[n, p·down + i - top, q·across + j - left, c] += cols[(n, p, q), (i, j, c)]."""
    size_h, size_w, channels = numbers[:3]
    height, width = dx.shape[1], dx.shape[2] // channels
    for r in range(len(cols)):
        image, h, v = _place(first_row + r, numbers)
        first, last = _inside(v, size_w, width)
        for i in range(max(-h, 0), min(size_h, height - h)):
            places = cols[r, i * size_w * channels : (i + 1) * size_w * channels]
            source = places[first * channels : last * channels]
            target = dx[image, h + i, (v + first) * channels : (v + last) * channels]
            for c in range(len(target)):
                target[c] += source[c]


@njit(**WORKER)
def _convolve_rows(x, w, width, bias, y, numbers, chunk, start, stop):
    """Rows start to stop of y (N·OH·OW, K)."""
    depth, filters = numbers[0] * numbers[1] * numbers[2], len(bias)
    cols = np.empty((chunk, depth), x.dtype)
    flat = cols.reshape(-1)
    for first in range(start, stop, chunk):
        rows = min(chunk, stop - first)
        _im2col(x, cols[:rows], first, numbers)
        for r in range(first, first + rows):
            for k in range(filters):
                y[r * filters + k] = bias[k]
        multiply(
            flat, 0, depth, 1, w, 0, width, depth * width, y, first * filters, filters,
            rows, filters, depth, width, True,
        )


@njit(**PARALLEL)
def _convolve(x, w, width, bias, y, numbers, chunk):
    for block in prange(BLOCKS):
        _convolve_rows(
            x, w, width, bias, y, numbers, chunk, *block_of(block, y.size // bias.size)
        )


@njit(**WORKER)
def _spread_back_images(dy, wt, width, filters, dx, numbers, chunk, start, stop):
    """dx of images start to stop."""
    depth, places = numbers[0] * numbers[1] * numbers[2], numbers[3] * numbers[4]
    dcols = np.empty((chunk, depth), dx.dtype)
    flat = dcols.reshape(-1)
    dx[start:stop] = 0
    for first in range(start * places, stop * places, chunk):
        rows = min(chunk, stop * places - first)
        multiply(
            dy, first * filters, filters, 1, wt, 0, width, filters * width, flat, 0, depth,
            rows, depth, filters, width, False,
        )
        _add_col2im(dcols[:rows], dx, first, numbers)


@njit(**PARALLEL)
def _spread_back(dy, wt, width, filters, dx, numbers, chunk):
    for block in prange(BLOCKS):
        _spread_back_images(
            dy, wt, width, filters, dx, numbers, chunk, *block_of(block, dx.shape[0])
        )


@njit(**WORKER)
def _correlate_rows(x, dy, dw, filters, width, numbers, chunk, start, stop):
    """What rows start to stop of dy (N·OH·OW, K) add to dw."""
    depth = numbers[0] * numbers[1] * numbers[2]
    cols = np.empty((chunk, depth), x.dtype)
    flat = cols.reshape(-1)
    for first in range(start, stop, chunk):
        rows = min(chunk, stop - first)
        _im2col(x, cols[:rows], first, numbers)
        multiply(
            flat, 0, 1, depth, dy, first * filters, filters, width, dw, 0, filters,
            depth, filters, rows, width, True,
        )


@njit(**PARALLEL)
def _correlate(x, dy, dw, filters, width, numbers, chunk):
    rows, threads = dy.size // filters, dw.shape[0]
    for thread in prange(threads):
        _correlate_rows(
            x, dy, dw[thread], filters, width, numbers, chunk,
            thread * rows // threads, (thread + 1) * rows // threads,
        )
