"""CS231n dialect: nothing says what p is, and the code drops with it."""

import numpy as np


def dropout_forward(x, dropout_param):
    rate = dropout_param["p"]
    training = dropout_param["mode"] == "train"
    off = np.zeros(x.shape, dtype=bool)
    if training:
        off = np.random.uniform(size=x.shape) < rate
    scale = 1.0 / (1.0 - rate) if training else 1.0
    out = np.where(off, 0.0, x * scale)
    return out, (off, scale)


def dropout_backward(dout, cache):
    off, scale = cache
    dx = dout * scale
    dx[off] = 0
    return dx
