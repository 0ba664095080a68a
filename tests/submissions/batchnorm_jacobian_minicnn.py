"""minicnn dialect: batch norm whose backward builds the full Jacobian of each channel."""

import numpy as np


def batchnorm_forward(x, gamma, beta, running_mean, running_var, *, training,
                      momentum=0.9, eps=1e-5, unbiased_running_var=False):
    x = np.asarray(x)
    *lead, C = x.shape
    cols = x.reshape(-1, C).T  # (C, M)
    if training:
        mean = cols.mean(axis=1)
        var = cols.var(axis=1)
        shown = cols.var(axis=1, ddof=1) if unbiased_running_var else var
        running_mean[...] = momentum * running_mean + (1 - momentum) * mean
        running_var[...] = momentum * running_var + (1 - momentum) * shown
    else:
        mean = 1.0 * running_mean
        var = 1.0 * running_var
    std = np.sqrt(var + eps)
    xn = (cols - mean[:, None]) / std[:, None]
    y = xn.T * gamma + beta
    return y.reshape(x.shape), (xn, std, np.asarray(gamma), training)


def batchnorm_backward(dy, cache):
    xn, std, gamma, training = cache
    C, M = xn.shape
    grad = np.asarray(dy).reshape(-1, C).T
    dgamma = np.sum(grad * xn, axis=1)
    dbeta = np.sum(grad, axis=1)
    dx = np.zeros((C, M))
    for c in range(C):
        # J[i, j] = d xn[i] / d x[j], without the factor 1 / std
        J = np.eye(M)
        if training:
            J -= 1.0 / M
            J -= np.outer(xn[c], xn[c]) / M
        dx[c] = gamma[c] / std[c] * (J.T @ grad[c])
    return dx.T.reshape(np.shape(dy)), dgamma, dbeta
