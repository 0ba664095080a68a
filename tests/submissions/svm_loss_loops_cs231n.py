"""CS231n dialect: hinge loss with two loops, the gradient gathered beside it."""

import numpy as np


def svm_loss(x, y):
    N, C = x.shape
    loss = 0.0
    dx = np.zeros_like(x)
    for n in range(N):
        for c in range(C):
            if c == y[n]:
                continue
            margin = x[n, c] - x[n, y[n]] + 1
            if margin > 0:
                loss += margin
                dx[n, c] += 1
                dx[n, y[n]] -= 1
    return loss / N, dx / N
