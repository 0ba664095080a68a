"""CS231n dialect: a sandwich of its own that calls no other layer, and one with helpers."""

import numpy as np


def affine_relu_forward(x, w, b):
    flat = np.reshape(x, (len(x), -1))
    out = np.maximum(flat @ w + b, 0)
    return out, (x.shape, flat, w, out > 0)


def affine_relu_backward(dout, cache):
    shape, flat, w, on = cache
    d = dout * on
    return np.reshape(d @ w.T, shape), flat.T @ d, d.sum(axis=0)


def _windows(x, k, stride, pad):
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    view = np.lib.stride_tricks.sliding_window_view(padded, (k, k), axis=(2, 3))
    return view[:, :, ::stride, ::stride]


def conv_relu_forward(x, w, b, conv_param):
    stride, pad = conv_param["stride"], conv_param["pad"]
    k = w.shape[2]
    seen = _windows(x, k, stride, pad)
    z = np.einsum("nchwij,fcij->nfhw", seen, w) + b[:, None, None]
    return np.where(z > 0, z, 0), (x.shape, seen, w, z, conv_param)


def conv_relu_backward(dout, cache):
    shape, seen, w, z, conv_param = cache
    stride, pad = conv_param["stride"], conv_param["pad"]
    dz = dout * (z > 0)
    dw = np.einsum("nchwij,nfhw->fcij", seen, dz)
    N, C, H, W = shape
    dx = np.zeros((N, C, H + 2 * pad, W + 2 * pad))
    k = w.shape[2]
    for i in range(dz.shape[2]):
        for j in range(dz.shape[3]):
            part = np.einsum("nf,fcij->ncij", dz[:, :, i, j], w)
            dx[:, :, i * stride:i * stride + k, j * stride:j * stride + k] += part
    return dx[:, :, pad:pad + H, pad:pad + W], dw, dz.sum(axis=(0, 2, 3))
