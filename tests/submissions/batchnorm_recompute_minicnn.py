"""minicnn dialect: batch norm that keeps only its inputs and computes the rest again."""

import numpy as np


def normalise(x, mean, var, eps):
    return (x - mean) / np.sqrt(var + eps)


def statistics(x):
    over = tuple(range(x.ndim - 1))
    return np.mean(x, axis=over, keepdims=True), np.var(x, axis=over, keepdims=True)


def batchnorm_forward(x, gamma, beta, running_mean, running_var, *, training,
                      momentum=0.9, eps=1e-5, unbiased_running_var=False):
    x = np.asarray(x)
    if training:
        mean, var = statistics(x)
        keep = 1.0
        if unbiased_running_var:
            n = x.size // x.shape[-1]
            keep = n / (n - 1)
        old, new = momentum, 1 - momentum
        running_mean[:] = old * running_mean + new * mean.ravel()
        running_var[:] = old * running_var + new * keep * var.ravel()
        fixed = None
    else:
        mean, var = running_mean, running_var
        fixed = (running_mean.copy(), running_var.copy())
    y = normalise(x, mean, var, eps) * gamma + beta
    return y, (x, gamma, eps, fixed)


def batchnorm_backward(dy, cache):
    x, gamma, eps, fixed = cache
    dy = np.asarray(dy)
    over = tuple(range(x.ndim - 1))
    mean, var = statistics(x) if fixed is None else fixed
    xh = normalise(x, mean, var, eps)
    dgamma = np.sum(dy * xh, axis=over)
    dbeta = np.sum(dy, axis=over)
    dxh = dy * gamma
    if fixed is not None:
        return dxh / np.sqrt(var + eps), dgamma, dbeta
    n = x.size // x.shape[-1]
    sum1 = np.sum(dxh, axis=over)
    sum2 = np.sum(dxh * xh, axis=over)
    dx = (n * dxh - sum1 - xh * sum2) / (n * np.sqrt(var + eps))
    return dx, dgamma, dbeta
