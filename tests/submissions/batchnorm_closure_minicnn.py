"""minicnn dialect: batch norm whose cache is a function that does the backward pass."""

import numpy as np


def _mean(a):
    return a.mean(axis=tuple(range(a.ndim - 1)))


def _sum(a):
    return a.sum(axis=tuple(range(a.ndim - 1)))


def batchnorm_forward(x, gamma, beta, running_mean, running_var, *, training,
                      momentum=0.9, eps=1e-5, unbiased_running_var=False):
    x = np.asarray(x)
    gamma = np.asarray(gamma)
    if not training:
        r = 1 / np.sqrt(running_var + eps)
        xhat = (x - running_mean) * r

        def pull_back(dy):
            return dy * gamma * r, _sum(dy * xhat), _sum(dy)

        return gamma * xhat + beta, pull_back

    mu = _mean(x)
    var = _mean((x - mu) ** 2)
    r = 1 / np.sqrt(var + eps)
    xhat = (x - mu) * r

    m = x.size // x.shape[-1]
    factor = m / (m - 1) if unbiased_running_var else 1
    np.copyto(running_mean, momentum * running_mean + (1 - momentum) * mu, casting="same_kind")
    np.copyto(running_var, momentum * running_var + (1 - momentum) * factor * var,
              casting="same_kind")

    def pull_back(dy):
        centred = dy - _mean(dy)
        dx = gamma * r * (centred - xhat * _mean(dy * xhat))
        return dx, _sum(dy * xhat), _sum(dy)

    return gamma * xhat + beta, pull_back


def batchnorm_backward(dy, cache):
    return cache(np.asarray(dy))
