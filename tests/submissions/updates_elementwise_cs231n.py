"""One number after the other, in plain Python."""

import math

import numpy as np


def sgd_momentum(w, dw, config=None):
    config = dict(config or {})
    rate, mu = config.setdefault("learning_rate", 0.01), config.setdefault("momentum", 0.9)
    velocity = config.get("velocity", np.zeros_like(w)).copy()
    result = np.empty_like(w)
    for place in np.ndindex(w.shape):
        velocity[place] = mu * velocity[place] - rate * dw[place]
        result[place] = w[place] + velocity[place]
    config["velocity"] = velocity
    return result, config


def rmsprop(w, dw, config=None):
    config = dict(config or {})
    rate, decay = config.setdefault("learning_rate", 0.01), config.setdefault("decay_rate", 0.99)
    small = config.setdefault("epsilon", 1e-8)
    cache = config.get("cache", np.zeros_like(w)).copy()
    result = np.empty_like(w)
    for place in np.ndindex(w.shape):
        g = float(dw[place])
        cache[place] = decay * cache[place] + (1 - decay) * g * g
        result[place] = w[place] - rate * g / (math.sqrt(cache[place]) + small)
    config["cache"] = cache
    return result, config


def adam(w, dw, config=None):
    config = dict(config or {})
    rate, small = config.setdefault("learning_rate", 0.001), config.setdefault("epsilon", 1e-8)
    beta1, beta2 = config.setdefault("beta1", 0.9), config.setdefault("beta2", 0.999)
    m = config.get("m", np.zeros_like(w)).copy()
    v = config.get("v", np.zeros_like(w)).copy()
    t = config.get("t", 0) + 1
    result = np.empty_like(w)
    for place in np.ndindex(w.shape):
        g = float(dw[place])
        m[place] = beta1 * m[place] + (1 - beta1) * g
        v[place] = beta2 * v[place] + (1 - beta2) * g * g
        mean = m[place] / (1 - math.pow(beta1, t))
        spread = math.sqrt(v[place] / (1 - math.pow(beta2, t)))
        result[place] = w[place] - rate * mean / (spread + small)
    config.update(m=m, v=v, t=t)
    return result, config
