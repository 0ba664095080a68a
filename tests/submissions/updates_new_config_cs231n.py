"""Nothing that was given changes: a new config comes back every time."""

import numpy as np

DEFAULTS = {
    "momentum": {"learning_rate": 1e-2, "momentum": 0.9},
    "rmsprop": {"learning_rate": 1e-2, "decay_rate": 0.99, "epsilon": 1e-8},
    "adam": {"learning_rate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "t": 0},
}


def _complete(kind, config, w, *arrays):
    return {**DEFAULTS[kind], **{name: np.zeros_like(w) for name in arrays}, **(config or {})}


def sgd_momentum(w, dw, config=None):
    c = _complete("momentum", config, w, "velocity")
    velocity = c["momentum"] * c["velocity"] - c["learning_rate"] * dw
    return w + velocity, {**c, "velocity": velocity}


def rmsprop(w, dw, config=None):
    c = _complete("rmsprop", config, w, "cache")
    cache = c["cache"] + (1 - c["decay_rate"]) * (dw * dw - c["cache"])
    return w - c["learning_rate"] * dw / (cache**0.5 + c["epsilon"]), {**c, "cache": cache}


def adam(w, dw, config=None):
    c = _complete("adam", config, w, "m", "v")
    t = c["t"] + 1
    m = c["m"] + (1 - c["beta1"]) * (dw - c["m"])
    v = c["v"] + (1 - c["beta2"]) * (dw * dw - c["v"])
    unbiased_m = m / (1 - c["beta1"] ** t)
    unbiased_v = v / (1 - c["beta2"] ** t)
    step = c["learning_rate"] * unbiased_m / (unbiased_v**0.5 + c["epsilon"])
    return w - step, {**c, "m": m, "v": v, "t": t}
