"""minicnn dialect: dropout with a boolean mask and the scale kept beside it."""

import numpy as np


def dropout_forward(x, *, rate, training, rng):
    x = np.asarray(x)
    if not training or rate == 0:
        return x, (None, 1.0)
    keep_prob = 1.0 - rate
    mask = rng.random(x.shape) < keep_prob
    y = x * mask
    y = y / keep_prob
    return y, (mask, keep_prob)


def dropout_backward(dy, cache):
    mask, keep_prob = cache
    if mask is None:
        return dy
    return dy * mask / keep_prob
