"""CS231n dialect: dx gathered pixel by pixel from the windows that see it."""
import numpy as np


def conv_forward_naive(x, w, b, conv_param):
    pad, stride = conv_param.get("pad", 0), conv_param.get("stride", 1)
    N, C, H, W = x.shape
    F, C, HH, WW = w.shape
    assert (H + 2 * pad - HH) % stride == 0, "height does not work"
    assert (W + 2 * pad - WW) % stride == 0, "width does not work"
    H_prime = int(1 + (H + 2 * pad - HH) / stride)
    W_prime = int(1 + (W + 2 * pad - WW) / stride)
    x_padded = np.zeros((N, C, H + 2 * pad, W + 2 * pad))
    x_padded[:, :, pad:pad + H, pad:pad + W] = x
    out = np.empty((N, F, H_prime, W_prime))
    for i in range(H_prime):
        for j in range(W_prime):
            region = x_padded[:, :, i * stride:i * stride + HH, j * stride:j * stride + WW]
            for f in range(F):
                out[:, f, i, j] = np.sum(region * w[f], axis=(1, 2, 3))
    out += b[None, :, None, None]
    return out, (x, w, b, conv_param)


def conv_backward_naive(dout, cache):
    x, w, b, conv_param = cache
    pad, stride = conv_param.get("pad", 0), conv_param.get("stride", 1)
    N, C, H, W = x.shape
    F, _, HH, WW = w.shape
    _, _, H_prime, W_prime = dout.shape
    db = dout.sum(axis=3).sum(axis=2).sum(axis=0)
    dx = np.zeros_like(x)
    for r in range(H):
        for c in range(W):
            for i in range(H_prime):
                for j in range(W_prime):
                    u, v = r + pad - i * stride, c + pad - j * stride
                    if 0 <= u < HH and 0 <= v < WW:
                        dx[:, :, r, c] += dout[:, :, i, j] @ w[:, :, u, v]
    dw = np.zeros_like(w)
    for u in range(HH):
        for v in range(WW):
            for i in range(H_prime):
                for j in range(W_prime):
                    r, c = i * stride + u - pad, j * stride + v - pad
                    if r in range(H) and c in range(W):
                        dw[:, :, u, v] += dout[:, :, i, j].T @ x[:, :, r, c]
    return dx, dw, db
