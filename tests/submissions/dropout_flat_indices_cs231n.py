"""CS231n dialect: dropout by flat indices of the units that go.

In this file p is the probability of keeping a unit.
"""

import numpy as np


def dropout_forward(x, dropout_param):
    if dropout_param["mode"] == "test":
        return x, None
    p = dropout_param["p"]
    state = np.random.RandomState(dropout_param["seed"])
    gone = np.flatnonzero(state.random_sample(x.size) > p)
    out = x.flatten() / p
    out[gone] = 0
    return out.reshape(x.shape), (gone, p)


def dropout_backward(dout, cache):
    if cache is None:
        return dout
    gone, p = cache
    dx = dout.flatten() / p
    dx.put(gone, 0)
    return dx.reshape(dout.shape)
