"""CS231n dialect: softmax loss with two nested loops over samples and classes."""

import numpy as np


def softmax_loss(x, y):
    num, classes = x.shape
    loss = 0.0
    dx = np.zeros((num, classes))
    for i in range(num):
        scores = x[i] - np.max(x[i])
        exps = np.exp(scores)
        denom = np.sum(exps)
        loss += np.log(denom) - scores[y[i]]
        for j in range(classes):
            dx[i, j] = exps[j] / denom
            if j == y[i]:
                dx[i, j] -= 1
    loss /= num
    dx /= num
    return loss, dx
