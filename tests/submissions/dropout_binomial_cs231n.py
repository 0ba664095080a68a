"""CS231n dialect: dropout with binomial draws and np.where, forward and backward by one helper."""

import numpy as np


def scale_kept(values, kept, p):
    return np.where(kept == 1, values / p, 0.0)


def dropout_forward(x, dropout_param):
    p = dropout_param["p"]
    random = np.random.RandomState(dropout_param.get("seed"))
    training = dropout_param["mode"] == "train"
    if training:
        kept = random.binomial(1, p, size=x.shape)
        out = scale_kept(x, kept, p)
    else:
        kept = None
        out = x * 1.0
    return out, (training, kept, p)


def dropout_backward(dout, cache):
    training, kept, p = cache
    if not training:
        return dout * 1.0
    return scale_kept(dout, kept, p)
