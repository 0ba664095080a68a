"""CS231n dialect: running statistics changed in place, a cache that is bn_param's own, an alt that
is simplified to one line, and a spatial version over swapped axes."""

import numpy as np


def _mode_is_train(bn_param):
    return bn_param["mode"] == "train"


def batchnorm_forward(x, gamma, beta, bn_param):
    eps = bn_param.setdefault("eps", 1e-5)
    momentum = bn_param.setdefault("momentum", 0.9)
    running_mean = bn_param.setdefault("running_mean", np.zeros(x.shape[1]))
    running_var = bn_param.setdefault("running_var", np.zeros(x.shape[1]))
    cache = {"gamma": gamma}
    if _mode_is_train(bn_param):
        mean = x.mean(axis=0)
        cache["centred"] = x - mean
        var = np.mean(np.square(cache["centred"]), axis=0)
        running_mean *= momentum
        running_mean += (1 - momentum) * mean
        running_var *= momentum
        running_var += (1 - momentum) * var
    else:
        cache["centred"] = x - running_mean
        var = running_var
    cache["sigma"] = np.sqrt(var + eps)
    cache["hat"] = np.divide(cache["centred"], cache["sigma"])
    bn_param["last"] = cache
    return cache["hat"] * gamma + beta, bn_param


def batchnorm_backward(dout, bn_param):
    cache = bn_param["last"]
    N = dout.shape[0]
    dhat = dout * cache["gamma"]
    dsigma = -(dhat * cache["centred"]).sum(axis=0) / cache["sigma"] ** 2
    # var -> sigma is a root, x -> var a mean of squares
    dcentred = dhat / cache["sigma"] + (dsigma / cache["sigma"]) * cache["centred"] / N
    dx = dcentred - dcentred.sum(axis=0) / N
    return dx, (dout * cache["hat"]).sum(axis=0), dout.sum(axis=0)


def batchnorm_backward_alt(dout, bn_param):
    h, s, g = (bn_param["last"][key] for key in ("hat", "sigma", "gamma"))
    dgamma, dbeta = np.sum(dout * h, axis=0), np.sum(dout, axis=0)
    return g / s * (dout - (dbeta + h * dgamma) / dout.shape[0]), dgamma, dbeta


def spatial_batchnorm_forward(x, gamma, beta, bn_param):
    swapped = x.swapaxes(0, 1)  # (C, N, H, W)
    out, cache = batchnorm_forward(swapped.reshape(x.shape[1], -1).T, gamma, beta, bn_param)
    return out.T.reshape(swapped.shape).swapaxes(0, 1), cache


def spatial_batchnorm_backward(dout, cache):
    swapped = dout.swapaxes(0, 1)
    dx, dgamma, dbeta = batchnorm_backward_alt(swapped.reshape(len(swapped), -1).T, cache)
    return dx.T.reshape(swapped.shape).swapaxes(0, 1), dgamma, dbeta
