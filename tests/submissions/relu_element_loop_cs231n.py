"""CS231n dialect: ReLU number by number, the places of the positive ones kept."""

import numpy as np


def relu_forward(x):
    out = np.zeros_like(x)
    positive = []
    for place, value in np.ndenumerate(x):
        if value > 0:
            out[place] = value
            positive.append(place)
    return out, positive


def relu_backward(dout, cache):
    dx = np.zeros_like(dout)
    for place in cache:
        dx[place] = dout[place]
    return dx
