"""Convolution as a matrix product: lay the pixels under every window out as rows, then multiply.

``y = cols w`` with cols (N·OH·OW, KH·KW·C) and w (KH·KW·C, K): the im2col method of Chellapilla,
Puri and Simard 2006, *High performance convolutional neural networks for document processing*.
A whole batch's cols would be KH·KW times the size of x, so each thread lays out a few rows, as many
as its second-level cache holds, and uses them while they are there.
"""

from typing import Any

import numpy as np
from numba import njit, prange

from minicnn.ops import arguments
from minicnn.ops.caches import Conv2DCache
from minicnn.ops.cpu.blocks import BLOCKS, PARALLEL, SERIAL, block_of
from minicnn.ops.cpu.gemm import add_dots, add_outer_products

CHUNK_BYTES = 512 << 10
"""How large a few rows of cols and of y may be together: half of a common second-level cache."""

GROUPS = 16
"""Into how many groups backward cuts the images; each has a dw of its own, added up at the end."""


def conv2d_forward(
    x: Any, w: Any, b: Any = None, *, stride: Any = 1, padding: Any = 0
) -> tuple[np.ndarray, Conv2DCache]:
    """``y = cols w + b``. Arguments, results and errors as `minicnn.ops.conv2d_forward`.

    x (N, H, W, C), w (KH, KW, C, K), b (K,) or None -> y (N, OH, OW, K).
    """
    x, w, b, window = arguments.conv2d(x, w, b, stride, padding)
    cache = Conv2DCache(x, w, b is not None, window)
    filters = np.ascontiguousarray(w.reshape(-1, w.shape[3]).T)  # (K, KH·KW·C), one a row
    bias = np.zeros(w.shape[3], x.dtype) if b is None else b
    y = np.empty(cache.y_shape, x.dtype)
    _forward(
        _pixel_rows(x), filters, bias, y.reshape(-1, w.shape[3]), _numbers(cache), _chunk(cache)
    )
    return y, cache


def conv2d_backward(
    dy: Any, cache: Conv2DCache
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """``dcols = dy wᵀ``, ``dw = colsᵀ dy``; dx gathers dcols, the reverse of laying pixels out.

    dy (N, OH, OW, K) -> dx (N, H, W, C), dw (KH, KW, C, K), db (K,) or None; arguments and errors
    as `minicnn.ops.conv2d_backward`.
    """
    cache = arguments.cache_of("conv2d_backward", cache, Conv2DCache)
    x, w = cache.x, cache.w
    dy = arguments.upstream("conv2d_backward", dy, cache.y_shape, x.dtype)
    matrix, drows = w.reshape(-1, w.shape[3]), dy.reshape(-1, w.shape[3])
    groups = min(GROUPS, len(x))
    dx = np.zeros_like(x)
    dmatrix = np.zeros((groups, *matrix.shape), x.dtype)
    db = np.zeros((groups, w.shape[3]))
    _backward(
        _pixel_rows(x), matrix, drows, _pixel_rows(dx), dmatrix, db, _numbers(cache), _chunk(cache)
    )
    dw = _pairwise_sum(dmatrix).reshape(w.shape)
    return dx, dw, db.sum(0).astype(x.dtype) if cache.has_bias else None


def _pixel_rows(images: np.ndarray) -> np.ndarray:
    """Images (N, H, W, C) as (N, H, W·C): neighbouring pixels are one run of numbers."""
    return images.reshape(*images.shape[:2], -1)


def _numbers(cache: Conv2DCache) -> tuple[int, ...]:
    """The sizes as plain numbers: (KH, KW, C, OH, OW, down, across, top, left)."""
    window = cache.window
    return (
        *cache.w.shape[:3], *cache.y_shape[1:3], *window.stride,
        window.padding[0][0], window.padding[1][0],
    )


def _chunk(cache: Conv2DCache) -> int:
    """How many rows of cols to lay out at a time, a multiple of the products' tile."""
    row_bytes = cache.w[..., 0].nbytes + cache.w.shape[3] * cache.w.itemsize
    return max(CHUNK_BYTES // row_bytes // 4 * 4, 4)


def _pairwise_sum(parts: np.ndarray) -> np.ndarray:
    """The sum over the first axis, halves added to halves; overwrites `parts`."""
    while len(parts) > 1:
        half = (len(parts) + 1) // 2
        parts[: len(parts) - half] += parts[half:]
        parts = parts[:half]
    return parts[0].copy()


@njit(**SERIAL)
def _place(row, numbers):
    """Image, and first pixel down and across, of the window that this row of cols holds."""
    _, _, _, height_out, width_out, down, across, top, left = numbers
    image, p = row // (height_out * width_out), row // width_out % height_out
    return image, p * down - top, row % width_out * across - left


@njit(**SERIAL)
def _inside(v, size_w, width):
    """First column of a window starting at pixel v that lies in the image, and one past the last.

    The same for every row of the window; a window wholly outside has none.
    """
    first = min(max(-v, 0), size_w)
    return first, max(min(size_w, width - v), first)


@njit(**SERIAL)
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


@njit(**SERIAL)
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


@njit(**SERIAL)
def _forward_rows(x, filters, bias, y, numbers, chunk, start, stop):
    """Rows start to stop of y (N·OH·OW, K)."""
    cols = np.empty((chunk, filters.shape[1]), x.dtype)
    for first in range(start, stop, chunk):
        part = y[first : min(first + chunk, stop)]
        rows = cols[: len(part)]
        _im2col(x, rows, first, numbers)
        for r in range(len(part)):
            for k in range(len(bias)):
                part[r, k] = bias[k]
        add_dots(rows, filters, part)


@njit(**PARALLEL)
def _forward(x, filters, bias, y, numbers, chunk):
    for block in prange(BLOCKS):
        _forward_rows(x, filters, bias, y, numbers, chunk, *block_of(block, len(y)))


@njit(**SERIAL)
def _backward_rows(x, w, dy, dx, dw, db, numbers, chunk, start, stop):
    """What rows start to stop of dy, those of whole images, add to dx, dw and db."""
    cols = np.empty((chunk, w.shape[0]), x.dtype)
    for first in range(start, stop, chunk):
        part = dy[first : min(first + chunk, stop)]
        rows = cols[: len(part)]
        _im2col(x, rows, first, numbers)
        add_outer_products(rows, part, dw, 0, len(dw))
        for r in range(len(part)):
            for k in range(len(db)):
                db[k] += part[r, k]
        rows[:] = 0
        add_dots(part, w, rows)  # now dcols
        _add_col2im(rows, dx, first, numbers)


@njit(**PARALLEL)
def _backward(x, w, dy, dx, dw, db, numbers, chunk):
    for group in prange(len(dw)):
        _backward_rows(
            x, w, dy, dx, dw[group], db[group], numbers, chunk,
            group * len(x) // len(dw) * (len(dy) // len(x)),
            (group + 1) * len(x) // len(dw) * (len(dy) // len(x)),
        )
