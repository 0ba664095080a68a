"""CS231n dialect: spatial batch norm written directly on (N, C, H, W) with keepdims."""

import numpy as np

AXES = (0, 2, 3)


def per_channel(v):
    return np.reshape(v, (1, -1, 1, 1))


def spatial_batchnorm_forward(x, gamma, beta, bn_param):
    eps = bn_param.get("eps", 1e-5)
    momentum = bn_param.get("momentum", 0.9)
    C = x.shape[1]
    rm = bn_param.get("running_mean", np.zeros(C))
    rv = bn_param.get("running_var", np.zeros(C))
    if bn_param["mode"] == "test":
        xn = (x - per_channel(rm)) / np.sqrt(per_channel(rv) + eps)
        bn_param["running_mean"], bn_param["running_var"] = rm, rv
        return per_channel(gamma) * xn + per_channel(beta), None

    mu = x.mean(axis=AXES, keepdims=True)
    diff = x - mu
    var = np.mean(diff**2, axis=AXES, keepdims=True)
    inv = 1 / np.sqrt(var + eps)
    xn = diff * inv
    out = per_channel(gamma) * xn + per_channel(beta)
    bn_param["running_mean"] = momentum * rm + (1 - momentum) * mu.reshape(C)
    bn_param["running_var"] = momentum * rv + (1 - momentum) * var.reshape(C)
    return out, (diff, inv, xn, gamma)


def spatial_batchnorm_backward(dout, cache):
    diff, inv, xn, gamma = cache
    N, C, H, W = dout.shape
    m = N * H * W
    dgamma = np.sum(dout * xn, axis=AXES)
    dbeta = np.sum(dout, axis=AXES)
    dxn = dout * per_channel(gamma)
    dvar = np.sum(dxn * diff, axis=AXES, keepdims=True) * (-0.5) * inv**3
    dmu = -np.sum(dxn * inv, axis=AXES, keepdims=True)
    dx = dxn * inv + 2.0 / m * diff * dvar + dmu / m
    return dx, dgamma, dbeta
