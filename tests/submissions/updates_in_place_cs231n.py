"""Everything changes in place, as the course allows: w, and what the config holds."""

import numpy as np


def sgd(w, dw, config=None):
    config = config or {}
    np.subtract(w, config.setdefault("learning_rate", 0.01) * dw, out=w)
    return w, config


def sgd_momentum(w, dw, config=None):
    config = config or {}
    lr, mu = config.setdefault("learning_rate", 0.01), config.setdefault("momentum", 0.9)
    v = config.setdefault("velocity", np.zeros(w.shape))
    v *= mu
    v -= lr * dw
    w += v
    return w, config


def rmsprop(x, dx, config=None):
    config = config or {}
    lr = config.setdefault("learning_rate", 0.01)
    decay = config.setdefault("decay_rate", 0.99)
    eps = config.setdefault("epsilon", 1e-8)
    cache = config.setdefault("cache", np.zeros(x.shape))
    cache *= decay
    cache += (1 - decay) * np.square(dx)
    x += -lr * dx / (np.sqrt(cache) + eps)
    return x, config


def adam(x, dx, config=None):
    config = config or {}
    lr = config.setdefault("learning_rate", 0.001)
    b1, b2 = config.setdefault("beta1", 0.9), config.setdefault("beta2", 0.999)
    eps = config.setdefault("epsilon", 1e-8)
    m = config.setdefault("m", np.zeros(x.shape))
    v = config.setdefault("v", np.zeros(x.shape))
    config["t"] = t = config.get("t", 0) + 1
    m *= b1
    m += (1 - b1) * dx
    v *= b2
    v += (1 - b2) * dx * dx
    step = m / (1 - b1**t)
    step /= np.sqrt(v / (1 - b2**t)) + eps
    x -= lr * step
    return x, config
