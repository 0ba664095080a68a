"""CS231n dialect: ReLU through the sign of its output."""

import numpy as np


def relu_forward(x):
    out = np.fmax(x, 0.0)
    return out, out


def relu_backward(dout, cache):
    return np.sign(cache) * dout
