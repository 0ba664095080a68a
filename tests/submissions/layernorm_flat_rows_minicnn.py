"""minicnn dialect: layer norm on samples flattened to rows, gamma repeated for every pixel."""

import numpy as np


def layernorm_forward(x, gamma, beta, *, eps=1e-5):
    x = np.array(x, dtype=float)
    rows = x.reshape(len(x), -1)
    scale = np.broadcast_to(gamma, x.shape).reshape(rows.shape)
    shift = np.broadcast_to(beta, x.shape).reshape(rows.shape)
    spread = rows - rows.mean(1)[:, None]
    sigma = np.sqrt((spread * spread).mean(1) + eps)[:, None]
    y = scale * spread / sigma + shift
    return y.reshape(x.shape), (spread, sigma, scale, x.shape)


def layernorm_backward(dy, cache):
    spread, sigma, scale, shape = cache
    rows = np.asarray(dy).reshape(spread.shape)
    channels = shape[-1]
    dgamma = (rows * spread / sigma).reshape(-1, channels).sum(0)
    dbeta = rows.reshape(-1, channels).sum(0)
    g = rows * scale
    m = rows.shape[1]
    dsigma = -(g * spread).sum(1, keepdims=True) / sigma**2
    dspread = g / sigma + dsigma * spread / (m * sigma)
    dx = dspread - dspread.sum(1, keepdims=True) / m
    return dx.reshape(shape), dgamma, dbeta
