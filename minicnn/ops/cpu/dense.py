"""The dense operation: products cut into tiles of rows, one thread a tile."""

from typing import Any

import numpy as np
from numba import njit, prange

from minicnn.ops import arguments
from minicnn.ops.caches import DenseCache
from minicnn.ops.cpu.blocks import PARALLEL
from minicnn.ops.cpu.gemm import add_dots, add_outer_products

TILE_ROWS = 16
"""How many rows of a product one thread takes: enough work to be worth a pass over the matrix."""


def dense_forward(x: Any, w: Any, b: Any = None) -> tuple[np.ndarray, DenseCache]:
    """``y = x w + b``: x (N, in), w (in, out), b (out,) or None -> y (N, out).

    Arguments and errors as `minicnn.ops.dense_forward`.
    """
    x, w, b = arguments.dense(x, w, b)
    y = np.zeros((len(x), w.shape[1]), x.dtype)
    if b is not None:
        y += b
    _add_dots(x, np.ascontiguousarray(w.T), y)
    return y, DenseCache(x, w, b is not None)


def dense_backward(
    dy: Any, cache: DenseCache
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """``dx = dy wᵀ``, ``dw = xᵀ dy``, ``db = sum over n of dy``.

    dy (N, out) -> dx (N, in), dw (in, out), db (out,) or None; arguments and errors as
    `minicnn.ops.dense_backward`.
    """
    cache = arguments.cache_of("dense_backward", cache, DenseCache)
    x, w = cache.x, cache.w
    dy = arguments.upstream("dense_backward", dy, (x.shape[0], w.shape[1]), x.dtype)
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    _add_dots(dy, w, dx)
    _add_outer_products(x, dy, dw)
    db = dy.sum(0, dtype=np.float64).astype(x.dtype) if cache.has_bias else None
    return dx, dw, db


@njit(**PARALLEL)
def _add_dots(a, b, c):
    for tile in prange((len(c) + TILE_ROWS - 1) // TILE_ROWS):
        rows = slice(tile * TILE_ROWS, (tile + 1) * TILE_ROWS)
        add_dots(a[rows], b, c[rows])


@njit(**PARALLEL)
def _add_outer_products(a, b, c):
    for tile in prange((len(c) + TILE_ROWS - 1) // TILE_ROWS):
        add_outer_products(a, b, c, tile * TILE_ROWS, min((tile + 1) * TILE_ROWS, len(c)))
