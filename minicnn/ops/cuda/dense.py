"""The dense operation: three matrix products."""

from minicnn.ops.cuda.gemm import multiply
from minicnn.ops.cuda.sums import column_sums
from minicnn.ops.dense import DenseCache


def dense_forward(x, w, b):
    """y = x w + b: x (N, in), w (in, out), b (out,) or None -> y (N, out)."""
    y = multiply(x, w, "NN", b, split=True)  # (N, in) (in, out)
    return y, DenseCache(x, w, b is not None)


def dense_backward(dy, cache):
    """dx = dy wᵀ: dy (N, out) -> dx (N, in), dw (in, out), db (out,) or None."""
    dx = multiply(dy, cache.w, "NT", split=True)  # (N, out) (out, in)
    return dx, *dense_weight_gradients(dy, cache)


def dense_weight_gradients(dy, cache):
    """dw = xᵀ dy, db = Σ over n of dy."""
    dw = multiply(cache.x, dy, "TN", split=True)  # (in, N) (N, out)
    db = column_sums(dy) if cache.has_bias else None
    return dw, db
