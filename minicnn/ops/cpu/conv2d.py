"""Convolution as a matrix product: lay the pixels under every window out as rows, then multiply.

``y = cols w`` with cols (N·OH·OW, KH·KW·C) and w (KH·KW·C, K): the im2col method of Chellapilla,
Puri and Simard 2006, *High performance convolutional neural networks for document processing*.
Numba moves the pixels; NumPy's matrix product, which is BLAS, does the arithmetic. A whole batch's
cols would be KH·KW times the size of x, so a few images are taken at a time.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numba import njit, prange

from minicnn.ops import arguments
from minicnn.ops.caches import Conv2DCache
from minicnn.ops.cpu.blocks import PARALLEL, SERIAL
from minicnn.ops.window import Window

COLS_BYTES = 8 << 20
"""About how large cols may become: two cores' second-level caches hold a good part of it."""


def conv2d_forward(
    x: Any, w: Any, b: Any = None, *, stride: Any = 1, padding: Any = 0
) -> tuple[np.ndarray, Conv2DCache]:
    """``y = cols w + b``. Arguments, results and errors as `minicnn.ops.conv2d_forward`.

    x (N, H, W, C), w (KH, KW, C, K), b (K,) or None -> y (N, OH, OW, K).
    """
    x, w, b, window = arguments.conv2d(x, w, b, stride, padding)
    cache = Conv2DCache(x, w, b is not None, window)
    y = np.empty(cache.y_shape, x.dtype)
    matrix = w.reshape(-1, w.shape[3])  # (KH·KW·C, K)
    cols = _empty_cols(cache)
    for images in _few_images(cache):
        part = y[images].reshape(-1, w.shape[3])  # (n·OH·OW, K), a view
        rows = cols[: len(part)]
        _im2col(x[images], rows, *_numbers(window, y.shape))
        np.matmul(rows, matrix, out=part)
        if b is not None:
            part += b
    return y, cache


def conv2d_backward(
    dy: Any, cache: Conv2DCache
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """``dcols = dy wᵀ``, ``dw = colsᵀ dy``; dx gathers dcols, the reverse of laying pixels out.

    dy (N, OH, OW, K) -> dx (N, H, W, C), dw (KH, KW, C, K), db (K,) or None; arguments and errors
    as `minicnn.ops.conv2d_backward`.
    """
    cache = arguments.cache_of("conv2d_backward", cache, Conv2DCache)
    x, w, window = cache.x, cache.w, cache.window
    dy = arguments.upstream("conv2d_backward", dy, cache.y_shape, x.dtype)
    dx = np.zeros_like(x)
    matrix = w.reshape(-1, w.shape[3])  # (KH·KW·C, K)
    dmatrix = np.zeros_like(matrix)
    cols = _empty_cols(cache)
    for images in _few_images(cache):
        part = dy[images].reshape(-1, w.shape[3])  # (n·OH·OW, K)
        rows = cols[: len(part)]
        _im2col(x[images], rows, *_numbers(window, dy.shape))
        dmatrix += rows.T @ part
        np.matmul(part, matrix.T, out=rows)  # now dcols
        _col2im(rows, dx[images], *_numbers(window, dy.shape))
    db = dy.sum((0, 1, 2), dtype=np.float64).astype(x.dtype) if cache.has_bias else None
    return dx, dmatrix.reshape(w.shape), db


def _numbers(window: Window, y_shape: tuple[int, ...]) -> tuple[int, ...]:
    """The window as plain numbers: (KH, KW, OH, OW, down, across, top, left)."""
    return (
        *window.size, *y_shape[1:3], *window.stride, window.padding[0][0], window.padding[1][0],
    )


def _images_at_a_time(cache: Conv2DCache) -> int:
    _, rows, columns, _ = cache.y_shape
    image_bytes = rows * columns * cache.w[..., 0].nbytes
    return min(max(1, COLS_BYTES // image_bytes), len(cache.x))


def _few_images(cache: Conv2DCache) -> Iterator[slice]:
    """Slices of the batch that are small enough for cols."""
    step = _images_at_a_time(cache)
    for start in range(0, len(cache.x), step):
        yield slice(start, start + step)


def _empty_cols(cache: Conv2DCache) -> np.ndarray:
    """Room for the cols of a few images, (n·OH·OW, KH·KW·C)."""
    _, rows, columns, _ = cache.y_shape
    return np.empty(
        (_images_at_a_time(cache) * rows * columns, cache.w[..., 0].size), cache.x.dtype
    )


@njit(**SERIAL)
def _im2col_row(x, cols, size_h, size_w, height_out, width_out, down, across, top, left, image, p):
    """Lay out the windows of one output row p of one image."""
    _, height, width, channels = x.shape
    for q in range(width_out):
        row = cols[(image * height_out + p) * width_out + q]
        place = 0
        for i in range(size_h):
            h = p * down - top + i
            for j in range(size_w):
                v = q * across - left + j
                if 0 <= h < height and 0 <= v < width:
                    for c in range(channels):
                        row[place + c] = x[image, h, v, c]
                else:
                    for c in range(channels):
                        row[place + c] = 0
                place += channels


@njit(**PARALLEL)
def _im2col(x, cols, size_h, size_w, height_out, width_out, down, across, top, left):
    """cols[(n, p, q), (i, j, c)] = x̄[n, p·down + i, q·across + j, c], rows p side by side."""
    for task in prange(x.shape[0] * height_out):
        _im2col_row(
            x, cols, size_h, size_w, height_out, width_out, down, across, top, left,
            task // height_out, task % height_out,
        )


@njit(**SERIAL)
def _col2im_image(cols, dx, size_h, size_w, height_out, width_out, down, across, top, left, image):
    """Add what every window of one image hands back to the pixels it covered."""
    _, height, width, channels = dx.shape
    for p in range(height_out):
        for q in range(width_out):
            row = cols[(image * height_out + p) * width_out + q]
            place = 0
            for i in range(size_h):
                h = p * down - top + i
                for j in range(size_w):
                    v = q * across - left + j
                    if 0 <= h < height and 0 <= v < width:
                        for c in range(channels):
                            dx[image, h, v, c] += row[place + c]
                    place += channels


@njit(**PARALLEL)
def _col2im(cols, dx, size_h, size_w, height_out, width_out, down, across, top, left):
    """dx[n, p·down + i - top, q·across + j - left, c] += cols[(n, p, q), (i, j, c)]."""
    for image in prange(dx.shape[0]):
        _col2im_image(
            cols, dx, size_h, size_w, height_out, width_out, down, across, top, left, image
        )
