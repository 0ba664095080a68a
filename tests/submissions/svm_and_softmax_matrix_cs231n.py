"""CS231n dialect: both losses through a matrix of one-hot labels and einsum."""

import numpy as np


def one_hot(y, classes):
    return np.identity(classes)[y]


def svm_loss(x, y):
    Y = one_hot(y, x.shape[1])
    margins = x - np.einsum("nc,nc->n", x, Y)[:, None] + (1 - Y)
    active = (margins > 0) * (1 - Y)
    loss = np.einsum("nc,nc->", margins, active) / len(x)
    dx = active - np.einsum("nc,nk->nk", active, Y)
    return loss, dx / len(x)


def softmax_loss(x, y):
    Y = one_hot(y, x.shape[1])
    top = np.einsum("nc->n", x) * 0 + x.max(1)
    e = np.exp(x - top[:, None])
    z = np.einsum("nc->n", e)
    loss = (np.log(z) + top - np.einsum("nc,nc->n", x, Y)).mean()
    return loss, (e / z[:, None] - Y) / len(x)
