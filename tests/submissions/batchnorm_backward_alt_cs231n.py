"""CS231n dialect: batch norm with a dict cache, a chain-rule backward and a short closed form."""

import numpy as np


def batchnorm_forward(x, gamma, beta, bn_param):
    """x: (N, D), gamma and beta: (D,)."""
    eps = bn_param.get("eps", 1e-5)
    momentum = bn_param.get("momentum", 0.9)
    D = x.shape[1]
    bn_param.setdefault("running_mean", np.zeros(D))
    bn_param.setdefault("running_var", np.zeros(D))

    if bn_param["mode"] == "train":
        mean = np.mean(x, axis=0)
        var = np.var(x, axis=0)
        bn_param["running_mean"] = momentum * bn_param["running_mean"] + (1 - momentum) * mean
        bn_param["running_var"] = momentum * bn_param["running_var"] + (1 - momentum) * var
    else:
        mean = bn_param["running_mean"]
        var = bn_param["running_var"]

    std = np.sqrt(var + eps)
    x_norm = (x - mean) / std
    out = gamma * x_norm + beta
    cache = {"x": x, "mean": mean, "std": std, "x_norm": x_norm, "gamma": gamma}
    return out, cache


def batchnorm_backward(dout, cache):
    x, mean, std = cache["x"], cache["mean"], cache["std"]
    N = x.shape[0]
    dgamma = (dout * cache["x_norm"]).sum(axis=0)
    dbeta = dout.sum(axis=0)

    dx_norm = dout * cache["gamma"]
    dstd = (dx_norm * (x - mean) * -1 / std**2).sum(axis=0)
    dvar = dstd / (2 * std)
    dmean = (-dx_norm / std).sum(axis=0)
    dx = dx_norm / std
    dx = dx + dvar * 2 * (x - mean) / N
    dx = dx + dmean / N
    return dx, dgamma, dbeta


def batchnorm_backward_alt(dout, cache):
    x_norm, std, gamma = cache["x_norm"], cache["std"], cache["gamma"]
    N = len(dout)
    dbeta = dout.sum(axis=0)
    dgamma = np.sum(x_norm * dout, axis=0)
    dx = gamma / (N * std) * (N * dout - dbeta - x_norm * dgamma)
    return dx, dgamma, dbeta
