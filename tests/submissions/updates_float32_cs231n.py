"""Single precision inside, a helper for the moving averages, and lists for results."""

import numpy as np


def smooth(old, new, keep):
    return np.float32(keep) * old + np.float32(1 - keep) * new


def sgd_momentum(w, dw, config=None):
    config = config if config is not None else {"learning_rate": 1e-2}
    v = np.asarray(config.get("velocity", np.zeros_like(w)), np.float32)
    v = np.float32(config.get("momentum", 0.9)) * v - config.get("learning_rate", 1e-2) * dw
    config["velocity"] = v
    return [w + v, config]


def rmsprop(w, dw, config=None):
    config = config if config is not None else {"learning_rate": 1e-2}
    dw = dw.astype(np.float32)
    cache = smooth(config.get("cache", 0), dw * dw, config.get("decay_rate", 0.99))
    config["cache"] = cache
    quotient = dw / (np.sqrt(cache) + np.float32(config.get("epsilon", 1e-8)))
    return [w - config.get("learning_rate", 1e-2) * quotient, config]


def adam(w, dw, config=None):
    config = config if config is not None else {"learning_rate": 1e-3}
    dw = dw.astype(np.float32)
    b1, b2 = config.get("beta1", 0.9), config.get("beta2", 0.999)
    config["t"] = config.get("t", 0) + 1
    config["m"] = smooth(config.get("m", 0), dw, b1)
    config["v"] = smooth(config.get("v", 0), dw * dw, b2)
    first, second = 1 - b1 ** config["t"], 1 - b2 ** config["t"]
    quotient = (config["m"] / first) / (np.sqrt(config["v"] / second) + config.get("epsilon", 1e-8))
    return [w - config.get("learning_rate", 1e-3) * quotient, config]
