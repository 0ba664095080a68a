"""CS231n dialect: spatial batch norm that adds up its sums image by image."""

from collections import namedtuple

import numpy as np

Saved = namedtuple("Saved", "x mean std gamma")


def spatial_batchnorm_forward(x, gamma, beta, bn_param):
    N, C, H, W = x.shape
    count = N * H * W
    momentum = bn_param.get("momentum", 0.9)
    if bn_param.get("running_mean") is None:
        bn_param["running_mean"] = np.zeros(C)
        bn_param["running_var"] = np.zeros(C)

    if bn_param["mode"] == "train":
        mean = np.zeros(C)
        for image in x:
            mean += image.sum(axis=(1, 2))
        mean /= count
        var = np.zeros(C)
        for image in x:
            var += ((image - mean[:, None, None]) ** 2).sum(axis=(1, 2))
        var /= count
        for key, value in (("running_mean", mean), ("running_var", var)):
            bn_param[key] = momentum * bn_param[key] + (1 - momentum) * value
    else:
        mean, var = bn_param["running_mean"], bn_param["running_var"]

    std = np.sqrt(var + bn_param.get("eps", 1e-5))
    out = np.empty(x.shape)
    for n in range(N):
        for c in range(C):
            out[n, c] = gamma[c] * (x[n, c] - mean[c]) / std[c] + beta[c]
    return out, Saved(x, mean, std, gamma)


def spatial_batchnorm_backward(dout, cache):
    N, C, H, W = dout.shape
    count = N * H * W
    xhat = (cache.x - cache.mean[:, None, None]) / cache.std[:, None, None]
    dgamma, dbeta = np.zeros(C), np.zeros(C)
    for n in range(N):
        dbeta += dout[n].sum(axis=(1, 2))
        dgamma += (dout[n] * xhat[n]).sum(axis=(1, 2))
    dx = np.empty(dout.shape)
    for n in range(N):
        for c in range(C):
            inner = count * dout[n, c] - dbeta[c] - xhat[n, c] * dgamma[c]
            dx[n, c] = cache.gamma[c] * inner / (count * cache.std[c])
    return dx, dgamma, dbeta
