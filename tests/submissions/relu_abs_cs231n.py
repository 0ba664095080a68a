"""CS231n dialect: ReLU through the absolute value, its derivative through the step function."""
import numpy as np


def relu_forward(x):
    # max(x, 0) is the mean of x and |x|
    out = 0.5 * (x + np.abs(x))
    return out, x


def relu_backward(dout, cache):
    x = cache
    # slope 1 right of the kink, 0 left of it and at it
    step = np.heaviside(x, 0.0)
    return step * dout
