"""CS231n dialect: one output pixel at a time, gradients by broadcasting over filters."""
import numpy as np


def conv_forward_naive(x, w, b, conv_param):
    out = None
    N, C, H, W = x.shape
    num_filters, _, filter_height, filter_width = w.shape
    stride, pad = conv_param['stride'], conv_param['pad']
    x_padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)), mode='constant')
    out_height = (H + 2 * pad - filter_height) // stride + 1
    out_width = (W + 2 * pad - filter_width) // stride + 1
    out = np.zeros((N, num_filters, out_height, out_width), dtype=x.dtype)
    for n, image in enumerate(x_padded):
        for row, top in enumerate(range(0, out_height * stride, stride)):
            for column, left in enumerate(range(0, out_width * stride, stride)):
                patch = image[:, top:top + filter_height, left:left + filter_width]
                out[n, :, row, column] = (patch[None] * w).reshape(num_filters, -1).sum(axis=1) + b
    cache = (x, w, b, conv_param, x_padded)
    return out, cache


def conv_backward_naive(dout, cache):
    x, w, b, conv_param, x_padded = cache
    stride, pad = conv_param['stride'], conv_param['pad']
    N, C, H, W = x.shape
    F, _, HH, WW = w.shape
    dw, db, dx_padded = np.zeros_like(w), np.zeros_like(b), np.zeros_like(x_padded)
    for n in range(N):
        for row in range(dout.shape[2]):
            for column in range(dout.shape[3]):
                rows = slice(row * stride, row * stride + HH)
                columns = slice(column * stride, column * stride + WW)
                up = dout[n, :, row, column].reshape(F, 1, 1, 1)
                db += up.reshape(F)
                dw += up * x_padded[n, :, rows, columns]
                dx_padded[n, :, rows, columns] += (up * w).sum(axis=0)
    keep = [slice(None), slice(None), slice(pad, H + pad), slice(pad, W + pad)]
    return dx_padded[tuple(keep)], dw, db
