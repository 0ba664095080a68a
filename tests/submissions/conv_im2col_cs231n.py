"""CS231n dialect: convolution as one matrix product over index-gathered columns (im2col)."""
import numpy as np


def im2col_indices(C, HH, WW, out_h, out_w, stride):
    """Which channel, row and column each entry of the (C*HH*WW, out_h*out_w) matrix reads."""
    i0 = np.tile(np.repeat(np.arange(HH), WW), C)
    j0 = np.tile(np.arange(WW), HH * C)
    i1 = stride * np.repeat(np.arange(out_h), out_w)
    j1 = stride * np.tile(np.arange(out_w), out_h)
    k = np.repeat(np.arange(C), HH * WW).reshape(-1, 1)
    return k, i0.reshape(-1, 1) + i1, j0.reshape(-1, 1) + j1


def conv_forward_naive(x, w, b, conv_param):
    stride, pad = conv_param['stride'], conv_param['pad']
    N, C, H, W = x.shape
    F, _, HH, WW = w.shape
    out_h = (H + 2 * pad - HH) // stride + 1
    out_w = (W + 2 * pad - WW) // stride + 1

    xp = np.pad(x, [(0, 0), (0, 0), (pad, pad), (pad, pad)])
    k, i, j = im2col_indices(C, HH, WW, out_h, out_w, stride)
    cols = xp[:, k, i, j]                           # (N, C*HH*WW, L)
    w_rows = w.reshape(F, -1)
    out = w_rows @ cols + b.reshape(1, F, 1)        # (N, F, L)
    cache = (x.shape, xp.shape, w, cols, (k, i, j), pad)
    return out.reshape(N, F, out_h, out_w), cache


def conv_backward_naive(dout, cache):
    x_shape, xp_shape, w, cols, (k, i, j), pad = cache
    N, C, H, W = x_shape
    F = w.shape[0]
    d = dout.reshape(N, F, -1)

    db = d.sum(axis=(0, 2))
    dw_each = d @ cols.transpose(0, 2, 1)           # (N, F, C*HH*WW)
    dw = dw_each.sum(axis=0).reshape(w.shape)

    # col2im: a pixel that lay under several windows collects from all of them
    dcols = w.reshape(F, -1).T @ d
    dxp = np.zeros(xp_shape)
    np.add.at(dxp, (slice(None), k, i, j), dcols)
    dx = dxp[:, :, pad:H + pad, pad:W + pad]
    return dx, dw, db
