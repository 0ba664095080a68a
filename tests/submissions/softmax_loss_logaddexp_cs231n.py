"""CS231n dialect: softmax loss with np.logaddexp.reduce and a one-hot matrix."""

import numpy as np


def one_hot(y, classes):
    return (np.arange(classes) == np.asarray(y)[:, None]).astype(float)


def softmax_loss(x, y):
    x = np.asarray(x, dtype=np.float64)
    N, C = x.shape
    log_norm = np.logaddexp.reduce(x, axis=1)
    correct = np.take_along_axis(x, np.asarray(y)[:, None], axis=1).ravel()
    loss = np.mean(log_norm - correct)
    p = np.exp(x - log_norm[:, None])
    dx = (p - one_hot(y, C)) / N
    return loss, dx
