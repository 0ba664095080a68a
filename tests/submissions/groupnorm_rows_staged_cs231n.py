"""CS231n dialect: group norm on rows (N·G, m), staged derivatives, statistics by hand."""

import numpy as np


def spatial_groupnorm_forward(x, gamma, beta, G, gn_param):
    N, C, H, W = x.shape
    eps = gn_param["eps"] if "eps" in gn_param else 1e-5
    rows = np.reshape(x, (N * G, -1))
    m = rows.shape[1]
    mean = np.sum(rows, axis=1, keepdims=True) / m
    shifted = rows - mean
    var = np.sum(np.square(shifted), axis=1, keepdims=True) / m
    inv = np.power(var + eps, -0.5)
    xn = np.reshape(shifted * inv, (N, C, H, W))
    out = xn * gamma.reshape((1, C, 1, 1)) + beta.reshape((1, C, 1, 1))
    return out, (shifted, inv, xn, gamma.reshape((1, C, 1, 1)))


def spatial_groupnorm_backward(dout, cache):
    shifted, inv, xn, scale = cache
    m = shifted.shape[1]
    dgamma = np.sum(np.sum(np.sum(dout * xn, axis=3), axis=2), axis=0)
    dbeta = np.einsum("nchw->c", dout)
    dxn = np.reshape(dout * scale, shifted.shape)
    dinv = np.sum(dxn * shifted, axis=1, keepdims=True)
    dvar = -0.5 * inv**3 * dinv
    dshifted = dxn * inv + 2 * shifted * dvar / m
    dmean = -np.sum(dshifted, axis=1, keepdims=True)
    return np.reshape(dshifted + dmean / m, dout.shape), dgamma, dbeta
