"""CS231n dialect, as until 2017: p is the probability of dropping, as the docstring says."""

import numpy as np


def dropout_forward(x, dropout_param):
    """
    Inverted dropout.

    - x: an array of any shape
    - dropout_param: a dictionary:
      - p: Dropout parameter. Each neuron is dropped with probability p.
      - mode: 'train' or 'test'
      - seed: for reproducible masks
    """
    p = dropout_param["p"]
    if dropout_param.get("seed") is not None:
        np.random.seed(dropout_param["seed"])
    if dropout_param["mode"] == "test":
        return x, (dropout_param, None)
    mask = np.random.rand(*x.shape) >= p
    out = x * mask / (1 - p)
    return out, (dropout_param, mask)


def dropout_backward(dout, cache):
    dropout_param, mask = cache
    if dropout_param["mode"] == "test":
        return dout
    return dout * mask / (1 - dropout_param["p"])
