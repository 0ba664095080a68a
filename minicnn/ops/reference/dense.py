"""The dense (fully connected) operation."""

from typing import Any

import numpy as np

from minicnn.ops import arguments
from minicnn.ops.caches import DenseCache


def dense_forward(x: Any, w: Any, b: Any = None) -> tuple[np.ndarray, DenseCache]:
    """Multiply by a matrix and add a bias: ``y = x w + b``.

    Parameters
    ----------
    x : array_like (N, in)
        Features.
    w : array_like (in, out)
        Weights.
    b : array_like (out,), optional
        Biases.

    Returns
    -------
    y : ndarray (N, out)
        float64 if an input is a wider float than float32, else float32.
    cache : DenseCache
        For `dense_backward`.

    Raises
    ------
    TypeError
        Where an input does not hold real numbers.
    ValueError
        Where an input is empty, or shapes do not agree.
    """
    x, w, b = arguments.dense(x, w, b)
    y = x @ w  # (N, in) (in, out)
    if b is not None:
        y += b
    return y, DenseCache(x, w, b is not None)


def dense_backward(
    dy: Any, cache: DenseCache, *, input_gradient: bool = True
) -> tuple[np.ndarray | None, np.ndarray, np.ndarray | None]:
    """Gradients of `dense_forward`: ``dx = dy wᵀ``, ``dw = xᵀ dy``, ``db = sum over n of dy``.

    Parameters
    ----------
    dy : array_like (N, out)
        Gradient of the loss with respect to y.
    cache : DenseCache
        From `dense_forward`.
    input_gradient : bool, default True
        Whether dx is needed; a network's first layer can do without.

    Returns
    -------
    dx : ndarray (N, in), y's dtype, or None where it is not needed
    dw : ndarray (in, out), y's dtype
    db : ndarray (out,), y's dtype, or None where forward had no b

    Raises
    ------
    TypeError
        Where dy does not hold real numbers, or the cache is another operation's.
    ValueError
        Where dy has not y's shape.
    """
    cache = arguments.cache_of("dense_backward", cache, DenseCache)
    x, w = cache.x, cache.w
    dy = arguments.upstream("dense_backward", dy, (x.shape[0], w.shape[1]), x.dtype)
    dx = dy @ w.T if input_gradient else None  # (N, out) (out, in)
    dw = x.T @ dy  # (in, N) (N, out)
    db = dy.sum(0, dtype=np.float64).astype(x.dtype) if cache.has_bias else None
    return dx, dw, db
