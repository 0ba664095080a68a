"""A dense layer for samples in columns: y = W x + b."""

import numpy as np


class FCLayer:
    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_out, n_in) * 0.1
        self.b = np.zeros((n_out, 1))

    def forward(self, x):
        self.x = x
        return self.W @ x + self.b

    def backward(self, dz):
        self.dW = dz @ self.x.T
        self.db = np.sum(dz, axis=1, keepdims=True)
        return self.W.T @ dz
