"""CS231n dialect: group norm on (N, G, C/G, H, W), one closed form, gamma with four axes."""

import numpy as np

WITHIN = (2, 3, 4)


def spatial_groupnorm_forward(x, gamma, beta, G, gn_param):
    eps = gn_param.get("eps", 1e-5)
    N, C, H, W = x.shape
    assert C % G == 0
    parts = x.reshape(N, G, C // G, H, W)
    mean = parts.mean(axis=WITHIN, keepdims=True)
    var = parts.var(axis=WITHIN, keepdims=True)
    hat = (parts - mean) / np.sqrt(var + eps)
    out = gamma * hat.reshape(x.shape) + beta
    return out, (hat, var + eps, gamma, G)


def spatial_groupnorm_backward(dout, cache):
    hat, v, gamma, G = cache
    N, C, H, W = dout.shape
    dbeta = dout.sum(axis=(0, 2, 3), keepdims=True)
    dgamma = (dout * hat.reshape(dout.shape)).sum(axis=(0, 2, 3), keepdims=True)
    d = (dout * gamma).reshape(hat.shape)
    M = C // G * H * W
    dx = M * d - d.sum(axis=WITHIN, keepdims=True)
    dx = dx - hat * (d * hat).sum(axis=WITHIN, keepdims=True)
    return (dx / (M * np.sqrt(v))).reshape(dout.shape), dgamma, dbeta
