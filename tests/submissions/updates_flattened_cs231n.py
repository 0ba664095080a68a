"""Everything as one long row, put back into shape at the end; einsum for the weighted sums."""

import numpy as np


def _rows(*arrays):
    return np.stack([np.ravel(array) for array in arrays])


def sgd_momentum(w, dw, config=None):
    config = {"learning_rate": 1e-2, "momentum": 0.9, **(config or {})}
    old = config.get("velocity", np.zeros_like(w))
    weights = np.array([config["momentum"], -config["learning_rate"]])
    config["velocity"] = np.einsum("k,kn->n", weights, _rows(old, dw)).reshape(w.shape)
    return w + config["velocity"], config


def rmsprop(w, dw, config=None):
    config = {"learning_rate": 1e-2, "decay_rate": 0.99, "epsilon": 1e-8, **(config or {})}
    old = config.get("cache", np.zeros_like(w))
    decay = config["decay_rate"]
    config["cache"] = (np.array([decay, 1 - decay]) @ _rows(old, dw * dw)).reshape(w.shape)
    denominator = np.sqrt(config["cache"])
    denominator += config["epsilon"]
    return w - config["learning_rate"] * np.divide(dw, denominator), config


def adam(w, dw, config=None):
    config = {"learning_rate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "t": 0,
              "m": np.zeros_like(w), "v": np.zeros_like(w), **(config or {})}
    betas = np.array([config["beta1"], config["beta2"]])
    old, new = _rows(config["m"], config["v"]), _rows(dw, dw * dw)
    moments = betas[:, None] * old + (1 - betas[:, None]) * new
    config["t"] += 1
    corrected = moments / (1 - betas ** config["t"])[:, None]
    config["m"], config["v"] = (row.reshape(w.shape) for row in moments)
    change = corrected[0] / (np.sqrt(corrected[1]) + config["epsilon"])
    return w - config["learning_rate"] * change.reshape(w.shape), config
