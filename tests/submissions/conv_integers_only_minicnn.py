"""minicnn dialect: convolution of integer strides and paddings, and no others."""
import numpy as np


def conv2d_forward(x, w, b, stride=1, padding=0):
    if not isinstance(stride, int) or not isinstance(padding, int):
        raise TypeError("stride and padding must be integers")
    N, H, W, C = x.shape
    KH, KW, _, K = w.shape
    xp = np.zeros((N, H + 2 * padding, W + 2 * padding, C))
    xp[:, padding:padding + H, padding:padding + W] = x
    OH, OW = (xp.shape[1] - KH) // stride + 1, (xp.shape[2] - KW) // stride + 1
    y = np.zeros((N, OH, OW, K))
    kernel = w.reshape(-1, K)
    for n in range(N):
        rows = [
            xp[n, i * stride:i * stride + KH, j * stride:j * stride + KW].ravel()
            for i in range(OH) for j in range(OW)
        ]
        y[n] = (np.array(rows) @ kernel).reshape(OH, OW, K) + b
    return y, (xp, w, stride, padding, H, W)


def conv2d_backward(dy, cache):
    xp, w, stride, padding, H, W = cache
    KH, KW, C, K = w.shape
    dw, dxp = np.zeros(w.shape), np.zeros(xp.shape)
    for n, i, j, k in np.ndindex(*dy.shape):
        here = np.s_[n, i * stride:i * stride + KH, j * stride:j * stride + KW]
        dw[..., k] += dy[n, i, j, k] * xp[here]
        dxp[here] += dy[n, i, j, k] * w[..., k]
    dx = dxp[:, padding:padding + H, padding:padding + W]
    return dx, dw, dy.reshape(-1, K).sum(0)
