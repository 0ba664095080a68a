"""minicnn dialect: batch norm with a loop over the channels, each channel as one long vector."""

import numpy as np


def batchnorm_forward(x, gamma, beta, running_mean, running_var, *, training,
                      momentum=0.9, eps=1e-5, unbiased_running_var=False):
    x = np.asarray(x)
    y = np.empty(x.shape)
    channels = x.shape[-1]
    saved = []
    for c in range(channels):
        values = x[..., c].ravel()
        m = len(values)
        if training:
            mu = values.sum() / m
            var = ((values - mu) ** 2).sum() / m
            kept_var = var * m / (m - 1) if unbiased_running_var else var
            running_mean[c] = momentum * running_mean[c] + (1 - momentum) * mu
            running_var[c] = momentum * running_var[c] + (1 - momentum) * kept_var
        else:
            mu = running_mean[c]
            var = running_var[c]
        std = (var + eps) ** 0.5
        xhat = (values - mu) / std
        y[..., c] = (gamma[c] * xhat + beta[c]).reshape(x.shape[:-1])
        saved.append((xhat, std))
    return y, (saved, gamma, training)


def batchnorm_backward(dy, cache):
    saved, gamma, training = cache
    dy = np.asarray(dy)
    dx = np.zeros(dy.shape)
    dgamma = np.zeros(len(saved))
    dbeta = np.zeros(len(saved))
    for c, (xhat, std) in enumerate(saved):
        g = dy[..., c].ravel()
        m = g.size
        dgamma[c] = np.dot(g, xhat)
        dbeta[c] = g.sum()
        d = g.copy()
        if training:
            d = d - dbeta[c] / m
            d = d - xhat * dgamma[c] / m
        d = d * gamma[c] / std
        dx[..., c] = d.reshape(dy.shape[:-1])
    return dx, dgamma, dbeta
