"""Adam with one rate for the step, and an eps that is made smaller so that nothing changes."""

from math import sqrt

import numpy as np


def adam(x, dx, config=None):
    config = {} if config is None else config
    for key, value in (("learning_rate", 1e-3), ("beta1", 0.9), ("beta2", 0.999),
                       ("epsilon", 1e-8), ("m", np.zeros_like(x)), ("v", np.zeros_like(x)),
                       ("t", 1)):
        config.setdefault(key, value)
    config["t"] += 1
    root = sqrt(1 - config["beta2"] ** config["t"])
    rate = config["learning_rate"] * root / (1 - config["beta1"] ** config["t"])
    config["m"] = config["beta1"] * config["m"] + (1 - config["beta1"]) * dx
    config["v"] = config["beta2"] * config["v"] + (1 - config["beta2"]) * np.power(dx, 2)
    next_x = x - rate * config["m"] / (np.sqrt(config["v"]) + config["epsilon"] * root)
    return next_x, config
