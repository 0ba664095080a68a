"""CS231n dialect: one batch norm serves layer norm and group norm, by a flag and dummy parameters.
"""

import numpy as np


def batchnorm_forward(x, gamma, beta, bn_param):
    mode = bn_param["mode"]
    eps = bn_param.get("eps", 1e-5)
    momentum = bn_param.get("momentum", 0.9)
    turned = bn_param.get("turned", False)
    running_mean = bn_param.get("running_mean", np.zeros(x.shape[1]))
    running_var = bn_param.get("running_var", np.zeros(x.shape[1]))
    if mode == "train":
        mean, var = x.mean(axis=0), x.var(axis=0)
        if not turned:
            bn_param["running_mean"] = momentum * running_mean + (1 - momentum) * mean
            bn_param["running_var"] = momentum * running_var + (1 - momentum) * var
    else:
        mean, var = running_mean, running_var
    std = np.sqrt(var + eps)
    z = (x - mean) / std
    if turned:
        gamma, beta = gamma.reshape(-1, 1), beta.reshape(-1, 1)
    return z * gamma + beta, (z, gamma, std, turned, mode)


def batchnorm_backward(dout, cache):
    z, gamma, std, turned, mode = cache
    axis = 1 if turned else 0
    dgamma, dbeta = np.sum(dout * z, axis=axis), np.sum(dout, axis=axis)
    dz = dout * gamma
    if mode == "train":
        dz = dz - dz.mean(axis=0) - z * np.mean(dz * z, axis=0)
    return dz / std, dgamma, dbeta


def layernorm_forward(x, gamma, beta, ln_param):
    ln_param["mode"] = "train"
    ln_param["turned"] = True
    out, cache = batchnorm_forward(x.T, gamma, beta, ln_param)
    return out.T, cache


def layernorm_backward(dout, cache):
    dx, dgamma, dbeta = batchnorm_backward(dout.T, cache)
    return dx.T, dgamma, dbeta


def spatial_groupnorm_forward(x, gamma, beta, G, gn_param):
    N, C, H, W = x.shape
    size = C // G * H * W
    gn_param.update(mode="train")
    rows = x.reshape(N * G, size).T
    z, cache = batchnorm_forward(rows, np.ones(N * G), np.zeros(N * G), gn_param)
    z = z.T.reshape(N, C, H, W)
    return gamma * z + beta, (G, z, gamma, cache)


def spatial_groupnorm_backward(dout, cache):
    G, z, gamma, inner = cache
    N, C, H, W = dout.shape
    dgamma = np.sum(dout * z, axis=(0, 2, 3), keepdims=True)
    dbeta = np.sum(dout, axis=(0, 2, 3), keepdims=True)
    dz = (dout * gamma).reshape(N * G, -1).T
    dx, _, _ = batchnorm_backward(dz, inner)
    return dx.T.reshape(N, C, H, W), dgamma, dbeta
