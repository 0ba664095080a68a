"""The dense operation: three matrix products."""

from typing import Any

import numpy as np

from minicnn.ops import arguments
from minicnn.ops.caches import DenseCache
from minicnn.ops.cpu.linalg.gemm import product, transposed
from minicnn.ops.cpu.linalg.sums import column_sums


def dense_forward(x: Any, w: Any, b: Any = None) -> tuple[np.ndarray, DenseCache]:
    """``y = x w + b``: x (N, in), w (in, out), b (out,) or None -> y (N, out).

    Arguments and errors as `minicnn.ops.dense_forward`.
    """
    x, w, b = arguments.dense(x, w, b)
    y = product(x, w)
    if b is not None:
        y += b
    return y, DenseCache(x, w, b is not None)


def dense_backward(
    dy: Any, cache: DenseCache, *, input_gradient: bool = True
) -> tuple[np.ndarray | None, np.ndarray, np.ndarray | None]:
    """``dx = dy wᵀ``, ``dw = xᵀ dy``, ``db = sum over n of dy``.

    dy (N, out) -> dx (N, in) or None, dw (in, out), db (out,) or None; arguments and errors as
    `minicnn.ops.dense_backward`.
    """
    cache = arguments.cache_of("dense_backward", cache, DenseCache)
    x, w = cache.x, cache.w
    dy = arguments.upstream("dense_backward", dy, (x.shape[0], w.shape[1]), x.dtype)
    # w (in, out) is large and dy (N, out) small: turn dy and the result round, not w
    dx = transposed(product(w, transposed(dy))) if input_gradient else None
    dw = product(x.T, dy)
    db = column_sums(dy).astype(x.dtype) if cache.has_bias else None
    return dx, dw, db
