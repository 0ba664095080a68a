"""CS231n dialect: convolution in six bare loops, reading pixels only where the image has any."""
import numpy as np


def conv_forward_naive(x, w, b, conv_param):
    stride, pad = conv_param["stride"], conv_param["pad"]
    N, C, H, W = x.shape
    F, _, HH, WW = w.shape
    Ho = 1 + (H + 2 * pad - HH) // stride
    Wo = 1 + (W + 2 * pad - WW) // stride
    out = np.zeros((N, F, Ho, Wo))
    for n in range(N):
        for f in range(F):
            for i in range(Ho):
                for j in range(Wo):
                    total = b[f]
                    for u in range(HH):
                        for v in range(WW):
                            row = i * stride + u - pad
                            col = j * stride + v - pad
                            # a zero from the padding adds nothing
                            if 0 <= row < H and 0 <= col < W:
                                total += x[n, :, row, col] @ w[f, :, u, v]
                    out[n, f, i, j] = total
    return out, (x, w, b, conv_param)


def conv_backward_naive(dout, cache):
    x, w, b, conv_param = cache
    s, pad = conv_param["stride"], conv_param["pad"]
    N, C, H, W = x.shape
    F, _, HH, WW = w.shape
    dx = np.zeros(x.shape)
    dw = np.zeros(w.shape)
    db = np.zeros(b.shape)
    for n in range(N):
        for f in range(F):
            for i in range(dout.shape[2]):
                for j in range(dout.shape[3]):
                    g = dout[n, f, i, j]
                    db[f] += g
                    for u in range(HH):
                        for v in range(WW):
                            r = i * s + u - pad
                            q = j * s + v - pad
                            if r < 0 or q < 0 or r >= H or q >= W:
                                continue
                            dx[n, :, r, q] += g * w[f, :, u, v]
                            dw[f, :, u, v] += g * x[n, :, r, q]
    return dx, dw, db
