"""The dense (fully connected) operation: three matrix products."""

import numpy as np

from minicnn.ops.dense import DenseCache


def dense_forward(x, w, b):
    """y = x w + b: x (N, in), w (in, out), b (out,) or None -> y (N, out)."""
    y = x @ w  # (N, in) (in, out)
    if b is not None:
        y += b
    return y, DenseCache(x, w, b is not None)


def dense_backward(dy, cache):
    """dx = dy wᵀ, dw = xᵀ dy, db = Σ dy over n.

    dy (N, out) -> dx (N, in), dw (in, out), db (out,) or None.
    """
    dx = dy @ cache.w.T  # (N, out) (out, in)
    return dx, *dense_weight_gradients(dy, cache)


def dense_weight_gradients(dy, cache):
    """dw = xᵀ dy, db = Σ dy over n: dy (N, out) -> dw (in, out), db (out,) or None."""
    dw = cache.x.T @ dy  # (in, N) (N, out)
    db = dy.sum(0, dtype=np.float64).astype(dy.dtype) if cache.has_bias else None
    return dw, db
