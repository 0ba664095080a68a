"""minicnn dialect: dropout with zeros written by index and a class for the cache."""

import numpy as np


class DropoutState:
    """What backward needs: which elements were dropped, and the factor of the others."""

    def __init__(self, dropped, factor):
        self.dropped = dropped
        self.factor = factor

    def apply(self, values):
        result = np.array(values, dtype=np.result_type(values, np.float32)) * self.factor
        result[self.dropped] = 0
        return result


def dropout_forward(x, *, rate, training, rng):
    if training and rate > 0:
        dropped = rng.uniform(size=np.shape(x)) < rate
        factor = 1 / (1 - rate)
        state = DropoutState(dropped, factor)
        return state.apply(x), state
    nothing = np.zeros(np.shape(x), dtype=bool)
    state = DropoutState(nothing, 1)
    return state.apply(x), state


def dropout_backward(dy, cache):
    dx = cache.apply(dy)
    return dx
