"""minicnn dialect: batch norm where every reduction is an einsum."""

import numpy as np


def total(a):
    """Sum over the rows: (n, c) -> (c,)."""
    return np.einsum("nc->c", a)


def batchnorm_forward(x, gamma, beta, running_mean, running_var, *, training,
                      momentum=0.9, eps=1e-5, unbiased_running_var=False):
    x = np.asarray(x) * 1.0
    gamma = np.asarray(gamma)
    a = x.reshape(-1, x.shape[-1])
    count = x.size / x.shape[-1]
    if training:
        mean = total(a) / count
        centred = a - mean
        var = np.einsum("nc,nc->c", centred, centred) / count
        new_var = var
        if unbiased_running_var:
            new_var = var * (count / (count - 1))
        running_mean += (1 - momentum) * (mean - running_mean)
        running_var += (1 - momentum) * (new_var - running_var)
    else:
        centred = a - running_mean
        var = running_var
    rstd = np.power(var + eps, -0.5)
    z = np.einsum("nc,c->nc", centred, rstd)
    y = np.einsum("nc,c->nc", z, gamma) + beta
    return y.reshape(x.shape), (z, rstd, gamma, count, training)


def batchnorm_backward(dy, cache):
    z, rstd, gamma, count, training = cache
    dy = np.asarray(dy) * 1.0
    g = dy.reshape(z.shape)
    dbeta = total(g)
    dgamma = np.einsum("nc,nc->c", g, z)
    dz = np.einsum("nc,c->nc", g, gamma)
    if training:
        mean_dz = total(dz) / count
        mean_dz_z = np.einsum("nc,nc->c", dz, z) / count
        dz = dz - mean_dz - np.einsum("nc,c->nc", z, mean_dz_z)
    dx = np.einsum("nc,c->nc", dz, rstd)
    return dx.reshape(dy.shape), dgamma, dbeta
