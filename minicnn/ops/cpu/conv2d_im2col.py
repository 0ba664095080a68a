"""Convolution as a matrix product, for any kernel and stride: im2col lays out the pixels.

A row of cols holds the pixels under one window::

    cols[(n, p, q), (i, j, c)] = x̄[n, p·down + i, q·across + j, c]      (im2col; x̄ is x, padded)

    y     = cols w        cols (N·OH·OW, KH·KW·C), w (KH·KW·C, K)
    dcols = dy wᵀ         dx gathers dcols: col2im, the transpose of im2col
    dw    = colsᵀ dy

(Chellapilla, Puri and Simard 2006, *High performance convolutional neural networks for document
processing*). A whole batch's cols would be KH·KW times the size of x. So each thread lays out a few
rows, as many as its second-level cache holds, and uses them while they are there.
"""

from typing import NamedTuple

import numpy as np

from minicnn.compiling.kernels import parallel, worker
from minicnn.compiling.threads import thread_count
from minicnn.ops.conv2d import Conv2DCache
from minicnn.ops.cpu.linalg import memory
from minicnn.ops.cpu.linalg.blocks import BLOCKS, block_of
from minicnn.ops.cpu.linalg.gemm import multiply
from minicnn.ops.cpu.linalg.layout import (
    Matrix,
    Panels,
    cut_into_panels,
    panel_width_of,
    panels_of,
)
from minicnn.ops.cpu.linalg.register_tile import TILE_ROWS
from minicnn.ops.cpu.linalg.sums import column_sums

CHUNK_BYTES = 512 << 10
"""How large a few rows of cols and of y may be together: half of a common second-level cache."""


class Geometry(NamedTuple):
    """The sizes of a convolution, for its kernels."""

    kernel_height: int  # KH
    kernel_width: int  # KW
    channels: int  # C
    output_height: int  # OH
    output_width: int  # OW
    down: int  # the stride
    across: int
    top: int  # the padding
    left: int


def geometry_of(cache: Conv2DCache, y: np.ndarray) -> Geometry:
    """The sizes of a convolution as plain numbers; y (N, OH, OW, K), or dy."""
    kernel_height, kernel_width, channels, _ = cache.w.shape
    _, output_height, output_width, _ = y.shape
    (down, across), ((top, _), (left, _)) = cache.window.stride, cache.window.padding
    return Geometry(
        kernel_height, kernel_width, channels, output_height, output_width, down, across, top, left
    )


def convolve(cache: Conv2DCache, bias: np.ndarray, y: np.ndarray) -> None:
    """``y = cols w + bias``, into y (N, OH, OW, K); bias (K,)."""
    x, w = cache.x, cache.w
    filters = cut_into_panels(w.reshape(-1, w.shape[3]))
    _convolve(
        BLOCKS, _pixel_rows(x), filters, bias, y.reshape(-1), geometry_of(cache, y), _chunk(cache)
    )


def input_gradient(cache: Conv2DCache, dy: np.ndarray) -> np.ndarray:
    """``dcols = dy wᵀ``, gathered into dx by col2im: dy (N, OH, OW, K) -> dx (N, H, W, C)."""
    x, w = cache.x, cache.w
    transposed = cut_into_panels(w.reshape(-1, w.shape[3]).T)
    dx = memory.empty(x.shape, x.dtype)
    _input_gradient(
        BLOCKS, dy.reshape(-1), transposed, w.shape[3], _pixel_rows(dx),
        geometry_of(cache, dy), _chunk(cache),
    )
    return dx


def weight_gradients(
    cache: Conv2DCache, dy: np.ndarray
) -> tuple[np.ndarray, np.ndarray | None]:
    """``dw = colsᵀ dy``: dy (N, OH, OW, K) -> dw (KH, KW, C, K), db (K,) or None."""
    x, w = cache.x, cache.w
    dw = np.zeros((thread_count(), w.size), x.dtype)
    _weight_gradient(
        len(dw), _pixel_rows(x), dy.reshape(-1), dw, w.shape[3],
        geometry_of(cache, dy), _chunk(cache),
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


def _chunk(cache: Conv2DCache) -> int:
    """How many rows of cols to lay out at a time, a multiple of the products' tile."""
    row_bytes = cache.w[..., 0].nbytes + cache.w.shape[3] * cache.w.itemsize
    return max(CHUNK_BYTES // row_bytes // TILE_ROWS, 1) * TILE_ROWS


@worker
def _depth_of(geometry):
    """Numbers in a row of cols: KH·KW·C."""
    return geometry.kernel_height * geometry.kernel_width * geometry.channels


@worker
def _window_of(row, geometry):
    """Image, and first pixel down and across, of the window that this row of cols holds."""
    height, width = geometry.output_height, geometry.output_width
    image, p, q = row // (height * width), row // width % height, row % width
    return image, p * geometry.down - geometry.top, q * geometry.across - geometry.left


@worker
def _inside(v, kernel_width, width):
    """First column of a window starting at pixel v that lies in the image, and one past the last.

    The same for every row of the window; a window wholly outside has none.
    """
    first = min(max(-v, 0), kernel_width)
    return first, max(min(kernel_width, width - v), first)


@worker
def _im2col(x, cols, first_row, geometry):
    """cols[(n, p, q), (i, j, c)] = x̄[n, p·down + i, q·across + j, c], from row first_row on."""
    kernel_width, channels = geometry.kernel_width, geometry.channels
    height, width = x.shape[1], x.shape[2] // channels
    for r in range(len(cols)):
        image, h, v = _window_of(first_row + r, geometry)
        first, last = _inside(v, kernel_width, width)
        for i in range(geometry.kernel_height):
            places = cols[r, i * kernel_width * channels : (i + 1) * kernel_width * channels]
            visible = 0 <= h + i < height
            if not visible or last - first < kernel_width:
                places[:] = 0
            if visible:
                target = places[first * channels : last * channels]
                source = x[image, h + i, (v + first) * channels : (v + last) * channels]
                for c in range(len(target)):
                    target[c] = source[c]


@worker
def _add_col2im(cols, dx, first_row, geometry):
    """dx[n, p·down + i - top, q·across + j - left, c] += cols[(n, p, q), (i, j, c)]."""
    kernel_width, channels = geometry.kernel_width, geometry.channels
    height, width = dx.shape[1], dx.shape[2] // channels
    for r in range(len(cols)):
        image, h, v = _window_of(first_row + r, geometry)
        first, last = _inside(v, kernel_width, width)
        for i in range(max(-h, 0), min(geometry.kernel_height, height - h)):
            places = cols[r, i * kernel_width * channels : (i + 1) * kernel_width * channels]
            source = places[first * channels : last * channels]
            target = dx[image, h + i, (v + first) * channels : (v + last) * channels]
            for c in range(len(target)):
                target[c] += source[c]


@parallel
def _convolve(block, x, w, bias, y, geometry, chunk):
    """Rows start to stop of y (N·OH·OW, K); w (KH·KW·C, K) is cut into panels."""
    start, stop = block_of(block, y.size // bias.size)
    depth, filters = _depth_of(geometry), len(bias)
    panels = panels_of(w, depth)
    cols = np.empty((chunk, depth), x.dtype)
    flat = cols.reshape(-1)
    for first in range(start, stop, chunk):
        rows = min(chunk, stop - first)
        _im2col(x, cols[:rows], first, geometry)
        for r in range(first, first + rows):
            for k in range(filters):
                y[r * filters + k] = bias[k]
        multiply(
            Matrix(flat, 0, depth, 1), panels, Matrix(y, first * filters, filters, 1),
            rows, filters, depth, True,
        )


@parallel
def _input_gradient(block, dy, wt, filters, dx, geometry, chunk):
    """dx of images start to stop; wᵀ (K, KH·KW·C) is cut into panels."""
    start, stop = block_of(block, dx.shape[0])
    depth, places = _depth_of(geometry), geometry.output_height * geometry.output_width
    panels = panels_of(wt, filters)
    dcols = np.empty((chunk, depth), dx.dtype)
    flat = dcols.reshape(-1)
    dx[start:stop] = 0
    for first in range(start * places, stop * places, chunk):
        rows = min(chunk, stop * places - first)
        multiply(
            Matrix(dy, first * filters, filters, 1), panels, Matrix(flat, 0, depth, 1),
            rows, depth, filters, False,
        )
        _add_col2im(dcols[:rows], dx, first, geometry)


@parallel
def _weight_gradient(thread, x, dy, dw, filters, geometry, chunk):
    """What rows start to stop of dy (N·OH·OW, K) add to dw."""
    rows, threads = dy.size // filters, dw.shape[0]
    start, stop = thread * rows // threads, (thread + 1) * rows // threads
    dw = dw[thread]
    depth = _depth_of(geometry)
    cols = np.empty((chunk, depth), x.dtype)
    flat = cols.reshape(-1)
    for first in range(start, stop, chunk):
        rows = min(chunk, stop - first)
        _im2col(x, cols[:rows], first, geometry)
        multiply(
            Matrix(flat, 0, 1, depth),  # transposed
            Panels(dy, first * filters, filters, panel_width_of(dy)), Matrix(dw, 0, filters, 1),
            depth, filters, rows, True,
        )
