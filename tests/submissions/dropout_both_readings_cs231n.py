"""CS231n dialect: the docstring warns of the other reading of p in the same sentence."""

import numpy as np


def dropout_forward(x, dropout_param):
    """Inverted dropout, which is not the vanilla one.

    Here p is the probability of **keeping** a neuron's output, as opposed to the probability of
    dropping it, which is what p means in some papers.

    dropout_param has the keys p, mode ('train' or 'test') and seed.
    """
    mode = dropout_param["mode"]
    p = dropout_param["p"]
    if "seed" in dropout_param:
        np.random.seed(dropout_param["seed"])
    mask = None
    out = x
    if mode == "train":
        mask = np.random.choice([0.0, 1.0 / p], size=x.shape, p=[1 - p, p])
        out = mask * x
    cache = (dropout_param, mask)
    out = out.astype(x.dtype, copy=False)
    return out, cache


def dropout_backward(dout, cache):
    dropout_param, mask = cache
    if dropout_param["mode"] == "train":
        return mask * dout
    return dout
