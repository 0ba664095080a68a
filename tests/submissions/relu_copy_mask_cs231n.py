"""CS231n dialect: ReLU on a copy with boolean indexing, only the dead entries are remembered."""
import numpy as np


def relu_forward(x):
    dead = np.asarray(x <= 0)
    out = np.array(x, copy=True)
    out[dead] = 0
    return out, dead


def relu_backward(dout, cache):
    dx = np.array(dout, copy=True)
    dx[cache] = 0
    return dx
