"""minicnn's form, with all of its options."""

import numpy as np


def sgd_update(w, g, v, *, lr, momentum=0.0, nesterov=False, scale=1.0, decay=0.0):
    g = scale * g + decay * w
    v *= momentum
    v += g
    w -= lr * (g + momentum * v) if nesterov else lr * v


def rmsprop_update(w, g, s, *, lr, smoothing, eps, scale=1.0, decay=0.0):
    g = scale * g + decay * w
    s[...] = smoothing * s + (1 - smoothing) * g**2
    w -= lr * g / (np.sqrt(s) + eps)


def adam_update(
    w, g, m, s, *, lr, beta1, beta2, eps, step, scale=1.0, decay=0.0, shrink=0.0
):
    w -= shrink * w
    g = scale * g + decay * w
    m[...] = beta1 * m + (1 - beta1) * g
    s[...] = beta2 * s + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**step)
    s_hat = s / (1 - beta2**step)
    w -= lr * m_hat / (np.sqrt(s_hat) + eps)
