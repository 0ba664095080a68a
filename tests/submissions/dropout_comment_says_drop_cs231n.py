"""CS231n dialect: no docstring; a comment in the function says what p is."""

import numpy as np


def dropout_forward(x, dropout_param):
    p = dropout_param["p"]  # chance that a unit is switched off
    if dropout_param["mode"] != "train":
        return np.array(x), None
    rng = np.random.default_rng(dropout_param["seed"])
    factors = np.full(x.shape, 1 / (1 - p))
    factors[rng.random(x.shape) < p] = 0
    return factors * x, factors


def dropout_backward(dout, cache):
    return dout if cache is None else cache * dout
