"""minicnn's form without options: plain momentum, no clipping, no decay of the weights."""

import numpy as np


def sgd_update(w, g, v, *, lr, momentum):
    np.multiply(v, momentum, out=v)
    np.add(v, g, out=v)
    np.subtract(w, lr * v, out=w)


def rmsprop_update(w, g, s, lr, smoothing, eps):
    s += (1 - smoothing) * (g * g - s)
    w[...] = w - lr * g * (1 / (eps + s**0.5))


def adam_update(w, g, m, s, **options):
    lr, beta1, beta2, eps, step = (
        options[key] for key in ("lr", "beta1", "beta2", "eps", "step")
    )
    if options.get("shrink"):
        w *= 1 - options["shrink"]
    g = options.get("scale", 1) * g + options.get("decay", 0) * w
    m += (1 - beta1) * (g - m)
    s += (1 - beta2) * (g * g - s)
    root = np.sqrt(1 - beta2**step)
    w -= lr * root / (1 - beta1**step) * m / (np.sqrt(s) + eps * root)
