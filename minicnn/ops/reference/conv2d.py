"""Two-dimensional convolution: x̄ is x with its padding of zeros, s the stride."""

import numpy as np

from minicnn.ops.conv2d import Conv2DCache


def conv2d_forward(x, w, b, window):
    """y[n, p, q, k] = b[k] + Σ over i, j, c of x̄[n, p·s + i, q·s + j, c] · w[i, j, c, k].

    x (N, H, W, C), w (KH, KW, C, K), b (K,) or None -> y (N, OH, OW, K).
    """
    cache = Conv2DCache(x, w, b is not None, window)
    padded = _pad(x, window)  # x̄
    y = np.zeros(cache.y_shape, x.dtype)
    for i, j in np.ndindex(window.size):
        # y (N, OH, OW, K) += x̄[:, i::s, j::s] (N, OH, OW, C) @ w[i, j] (C, K)
        y += padded[_under(i, j, window, y.shape)] @ w[i, j]
    if b is not None:
        y += b
    return y, cache


def conv2d_backward(dy, cache):
    """By the product rule: dy · w goes to dx, dy · x̄ goes to dw.

    dy (N, OH, OW, K) -> dx (N, H, W, C), dw (KH, KW, C, K), db (K,) or None.
    """
    return conv2d_input_gradient(dy, cache), *conv2d_weight_gradients(dy, cache)


def conv2d_input_gradient(dy, cache):
    """dx̄[n, u, v, c] = Σ of dy[n, p, q, k] · w[i, j, c, k] where p·s + i = u and q·s + j = v.

    dy (N, OH, OW, K) -> dx (N, H, W, C), which is dx̄ without the padding. Overlaps add up, as in
    col2im.
    """
    x, w, window = cache.x, cache.w, cache.window
    dpadded = np.zeros_like(_pad(x, window))  # dx̄
    for i, j in np.ndindex(window.size):
        # dx̄[:, i::s, j::s] (N, OH, OW, C) += dy (N, OH, OW, K) @ w[i, j]ᵀ (K, C)
        dpadded[_under(i, j, window, dy.shape)] += dy @ w[i, j].T
    (top, _), (left, _) = window.padding
    return dpadded[:, top : top + x.shape[1], left : left + x.shape[2]].copy()


def conv2d_weight_gradients(dy, cache):
    """dw[i, j, c, k] = Σ over n, p, q of x̄[n, p·s + i, q·s + j, c] · dy[n, p, q, k].

    db[k] = Σ over n, p, q of dy[n, p, q, k].
    dy (N, OH, OW, K) -> dw (KH, KW, C, K), db (K,) or None.
    """
    padded = _pad(cache.x, cache.window)
    dw = np.empty_like(cache.w)
    for i, j in np.ndindex(cache.window.size):
        under = padded[_under(i, j, cache.window, dy.shape)]  # (N, OH, OW, C)
        dw[i, j] = np.tensordot(under, dy, axes=([0, 1, 2], [0, 1, 2]))  # (C, K)
    db = dy.sum((0, 1, 2), dtype=np.float64).astype(dy.dtype) if cache.has_bias else None
    return dw, db


def _pad(x, window):
    """x̄: x (N, H, W, C) with its padding of zeros."""
    count, height, width, channels = x.shape
    (top, bottom), (left, right) = window.padding
    padded = np.zeros((count, top + height + bottom, left + width + right, channels), x.dtype)
    padded[:, top : top + height, left : left + width] = x
    return padded


def _under(i, j, window, y_shape):
    """An index: x̄[it] (N, OH, OW, C) are the pixels under place (i, j) of the window."""
    (down, across), (_, rows, columns, _) = window.stride, y_shape
    return (
        slice(None),
        slice(i, i + (rows - 1) * down + 1, down),
        slice(j, j + (columns - 1) * across + 1, across),
    )
