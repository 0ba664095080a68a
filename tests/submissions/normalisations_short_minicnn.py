"""minicnn dialect: the three normalisations as short as they get, settings by position."""

import numpy as np


def layernorm_forward(x, gamma, beta, epsilon=1e-5):
    ax = tuple(range(1, np.ndim(x)))
    mu = np.mean(x, ax, keepdims=True); s = np.sqrt(np.var(x, ax, keepdims=True) + epsilon)
    z = (x - mu) / s
    return z * gamma + beta, (z, s, gamma)


def layernorm_backward(dy, cache):
    z, s, gamma = cache
    ax = tuple(range(1, np.ndim(dy))); b = tuple(range(np.ndim(dy) - 1))
    g = dy * gamma
    return (g - g.mean(ax, keepdims=True) - z * (g * z).mean(ax, keepdims=True)) / s, (dy * z).sum(b), dy.sum(b)


def groupnorm_forward(x, gamma, beta, groups, eps):
    n, h, w, c = x.shape
    p = x.reshape(n, h * w, groups, -1)
    m = p.mean((1, 3), keepdims=True); s = np.sqrt(p.var((1, 3), keepdims=True) + eps)
    z = ((p - m) / s)
    return z.reshape(x.shape) * gamma + beta, (z, s, gamma)


def groupnorm_backward(dy, cache):
    z, s, gamma = cache
    g = (dy * gamma).reshape(z.shape)
    dx = (g - g.mean((1, 3), keepdims=True) - z * (g * z).mean((1, 3), keepdims=True)) / s
    return dx.reshape(dy.shape), (dy * z.reshape(dy.shape)).sum((0, 1, 2)), dy.sum((0, 1, 2))


def batchnorm_forward(x, gamma, beta, running_mean, running_var, training, momentum, eps):
    ax = tuple(range(x.ndim - 1))
    if training:
        m, v = x.mean(ax), x.var(ax)
        running_mean += (1 - momentum) * (m - running_mean); running_var += (1 - momentum) * (v - running_var)
    else:
        m, v = running_mean.copy(), running_var.copy()
    z = (x - m) / np.sqrt(v + eps)
    return gamma * z + beta, dict(z=z, g=gamma / np.sqrt(v + eps), t=training)


def batchnorm_backward(dy, cache):
    z, g, t = cache['z'], cache['g'], cache['t']
    ax = tuple(range(dy.ndim - 1))
    db, dg = dy.sum(ax), (dy * z).sum(ax)
    n = dy.size / dy.shape[-1]
    return g * (dy - t * (db / n + z * dg / n)), dg, db
