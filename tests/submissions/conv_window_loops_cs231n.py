"""CS231n dialect: convolution with four loops, one window and one filter at a time."""
import numpy as np


def conv_forward_naive(x, w, b, conv_param):
    """x (N, C, H, W), w (F, C, HH, WW), b (F,) -> out (N, F, H', W'), cache."""
    S = conv_param["stride"]
    P = conv_param["pad"]
    N, C, H, W = x.shape
    F, C, HH, WW = w.shape
    x_pad = np.pad(x, ((0, 0), (0, 0), (P, P), (P, P)), mode="constant")
    H_out = (H + 2 * P - HH) // S + 1
    W_out = (W + 2 * P - WW) // S + 1
    out = np.zeros((N, F, H_out, W_out))

    for n in range(N):
        for f in range(F):
            for i in range(H_out):
                for j in range(W_out):
                    window = x_pad[n, :, i * S:i * S + HH, j * S:j * S + WW]
                    out[n, f, i, j] = np.sum(window * w[f]) + b[f]

    cache = (x, w, b, conv_param)
    return out, cache


def conv_backward_naive(dout, cache):
    """dout (N, F, H', W') -> dx, dw, db, shaped like x, w and b."""
    x, w, b, conv_param = cache
    S, P = conv_param["stride"], conv_param["pad"]
    N, C, H, W = x.shape
    F, C, HH, WW = w.shape
    N, F, H_out, W_out = dout.shape

    x_pad = np.pad(x, ((0, 0), (0, 0), (P, P), (P, P)), mode="constant")
    dx_pad = np.zeros_like(x_pad)
    dw = np.zeros_like(w)
    db = np.sum(dout, axis=(0, 2, 3))

    for n in range(N):
        for f in range(F):
            for i in range(H_out):
                for j in range(W_out):
                    top, left = i * S, j * S
                    bottom, right = top + HH, left + WW
                    dw[f] += x_pad[n, :, top:bottom, left:right] * dout[n, f, i, j]
                    dx_pad[n, :, top:bottom, left:right] += w[f] * dout[n, f, i, j]

    # throw the border away again
    dx = dx_pad[:, :, P:P + H, P:P + W]
    return dx, dw, db
