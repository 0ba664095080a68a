"""CS231n dialect: hinge loss with the label's margin taken off afterwards, as it is always 1."""

import numpy as np


def svm_loss(x, y):
    rows = np.arange(len(y))
    target = np.take_along_axis(x, y[:, None], axis=1)
    margins = np.clip(x - target + 1, 0, None)
    loss = margins.sum(axis=1).mean() - 1
    active = np.where(margins >= 0, margins > 0, False).astype(x.dtype)
    active[rows, y] = 0
    active[rows, y] = -active.sum(axis=1)
    return float(loss), np.divide(active, len(y))
