"""The dense operation: three matrix products."""

from minicnn.ops.cpu.linalg.gemm import product
from minicnn.ops.cpu.linalg.sums import column_sums
from minicnn.ops.cpu.linalg.transposition import transposed
from minicnn.ops.dense import DenseCache


def dense_forward(x, w, b):
    """y = x w + b: x (N, in), w (in, out), b (out,) or None -> y (N, out)."""
    y = product(x, w)
    if b is not None:
        y += b
    return y, DenseCache(x, w, b is not None)


def dense_backward(dy, cache):
    """dx = dy wᵀ: dy (N, out) -> dx (N, in), dw (in, out), db (out,) or None."""
    # w (in, out) is large and dy (N, out) small: transpose dy and the result, not w
    dx = transposed(product(cache.w, transposed(dy)))
    return dx, *dense_weight_gradients(dy, cache)


def dense_weight_gradients(dy, cache):
    """dw = xᵀ dy, db = Σ over n of dy."""
    dw = product(cache.x.T, dy)
    db = column_sums(dy).astype(dy.dtype) if cache.has_bias else None
    return dw, db
