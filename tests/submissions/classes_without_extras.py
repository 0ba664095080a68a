"""Layers with less than others have: no bias, no running statistics, no evaluation."""

import numpy as np


class LinearLayer:
    def __init__(self, weight):
        self.weight = weight

    def forward(self, x):
        self.x = x
        return x @ self.weight

    def backward(self, dy):
        self.grad_weight = self.x.T @ dy
        return dy @ self.weight.T


class BatchNorm:
    def __init__(self, gamma, beta, eps=1e-5):
        self.gamma, self.beta, self.eps = gamma, beta, eps

    def forward(self, x):
        self.sigma = np.sqrt(x.var(0) + self.eps)
        self.xn = (x - x.mean(0)) / self.sigma
        return self.gamma * self.xn + self.beta

    def backward(self, dy):
        self.dbeta, self.dgamma = dy.sum(0), (dy * self.xn).sum(0)
        return self.gamma / self.sigma * (
            dy - dy.mean(0) - self.xn * (dy * self.xn).mean(0))


class Dropout:
    def __init__(self, keep_prob):
        self.keep_prob = keep_prob

    def forward(self, x):
        self.mask = (np.random.random(x.shape) < self.keep_prob) / self.keep_prob
        return x * self.mask

    def backward(self, dy):
        return dy * self.mask
