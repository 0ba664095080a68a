"""CS231n dialect: convolution by the correlation theorem, in the frequency domain."""
import numpy as np


def conv_forward_naive(x, w, b, conv_param):
    stride, pad = conv_param["stride"], conv_param["pad"]
    HH, WW = w.shape[2:]
    xp = np.pad(np.asarray(x, dtype=np.float64), ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    size = xp.shape[2:]
    X = np.fft.rfft2(xp)                                   # N C . .
    K = np.fft.rfft2(w, s=size, axes=(2, 3))               # F C . .
    # correlation: the kernel's spectrum is conjugated; sum over the channels
    Y = np.einsum("ncuv,fcuv->nfuv", X, K.conj())
    y = np.fft.irfft2(Y, s=size, axes=(2, 3))
    # no wrap-around up to this row and column
    y = y[:, :, :size[0] - HH + 1, :size[1] - WW + 1]
    out = y[:, :, ::stride, ::stride] + b.reshape(1, -1, 1, 1)
    return out, (X, K, size, x.shape, w.shape, stride, pad)


def conv_backward_naive(dout, cache):
    X, K, size, x_shape, w_shape, stride, pad = cache
    N, F = dout.shape[:2]
    H, W = x_shape[2:]
    HH, WW = w_shape[2:]

    # undo the subsampling: every dout value back on its place of the full grid
    full = np.zeros((N, F) + tuple(size))
    for p in range(dout.shape[2]):
        for q in range(dout.shape[3]):
            full[:, :, p * stride, q * stride] = dout[:, :, p, q]
    D = np.fft.rfft2(full)

    dX = np.einsum("nfuv,fcuv->ncuv", D, K)                # a convolution
    dxp = np.fft.irfft2(dX, s=size, axes=(2, 3))
    dK = np.einsum("ncuv,nfuv->fcuv", X, D.conj())         # a correlation
    dw = np.fft.irfft2(dK, s=size, axes=(2, 3))[:, :, :HH, :WW]
    db = full.sum(axis=(0, 2, 3))
    return dxp[:, :, pad:pad + H, pad:pad + W], dw, db
