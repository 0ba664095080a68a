"""minicnn dialect: batch norm on x flattened to (rows, channels), with a small cache class."""

import numpy as np


class Cache:
    def __init__(self, xhat, inv_std, gamma, training):
        self.xhat = xhat
        self.inv_std = inv_std
        self.gamma = gamma
        self.training = training


def batchnorm_forward(x, gamma, beta, running_mean, running_var, *, training,
                      momentum=0.9, eps=1e-5, unbiased_running_var=False):
    x, gamma, beta = np.asarray(x), np.asarray(gamma), np.asarray(beta)
    shape = x.shape
    rows = x.reshape(-1, shape[-1])  # (M, C)
    if training:
        mean = rows.mean(axis=0)
        var = rows.var(axis=0)
        ddof = 1 if unbiased_running_var else 0
        running_mean *= momentum
        running_mean += (1 - momentum) * mean
        running_var *= momentum
        running_var += (1 - momentum) * rows.var(axis=0, ddof=ddof)
    else:
        mean, var = running_mean.copy(), running_var.copy()
    inv_std = 1.0 / np.sqrt(var + eps)
    xhat = (rows - mean) * inv_std
    y = xhat * gamma + beta
    return y.reshape(shape), Cache(xhat, inv_std, gamma, training)


def batchnorm_backward(dy, cache):
    rows = np.asarray(dy).reshape(cache.xhat.shape)
    dgamma = (rows * cache.xhat).sum(axis=0)
    dbeta = rows.sum(axis=0)
    scale = cache.gamma * cache.inv_std
    if cache.training:
        through_mean = rows.mean(axis=0)
        through_var = cache.xhat * (rows * cache.xhat).mean(axis=0)
        dx = scale * (rows - through_mean - through_var)
    else:
        dx = scale * rows
    return dx.reshape(np.shape(dy)), dgamma, dbeta
