"""CS231n dialect: dropout that draws one number after another in a loop."""

import numpy as np


def dropout_forward(x, dropout_param):
    # every unit survives with probability p
    keep = dropout_param["p"]
    generator = np.random.default_rng(dropout_param.get("seed"))
    if dropout_param["mode"] == "test":
        return x.copy(), {"mode": "test"}

    out = np.zeros(x.shape)
    kept_indices = []
    for index in np.ndindex(*x.shape):
        if generator.random() < keep:
            out[index] = x[index] / keep
            kept_indices.append(index)
    return out, {"mode": "train", "kept": kept_indices, "keep": keep}


def dropout_backward(dout, cache):
    if cache["mode"] == "test":
        return dout.copy()
    dx = np.zeros(dout.shape)
    for index in cache["kept"]:
        dx[index] = dout[index] / cache["keep"]
    return dx
