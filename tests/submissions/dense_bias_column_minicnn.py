"""minicnn dialect: dense layer by the bias trick, a column of ones appended to x."""
import numpy as np


def dense_forward(x, w, b=None):
    """x (N, in), w (in, out), b (out,) or None."""
    if b is None:
        return x @ w, (x, w, False)
    ones = np.ones((len(x), 1), dtype=x.dtype)
    x1 = np.hstack([x, ones])         # (N, in + 1)
    w1 = np.vstack([w, b])            # (in + 1, out)
    return x1 @ w1, (x1, w1, True)


def dense_backward(dy, cache):
    x1, w1, with_bias = cache
    dx1 = dy @ w1.T
    dw1 = x1.T @ dy
    if with_bias:
        # the last column of dx1 belongs to the ones, the last row of dw1 to b
        return dx1[:, :-1], dw1[:-1], dw1[-1]
    return dx1, dw1, None
