"""Layers whose forward returns a cache, and whose backward takes it and returns all gradients."""

import numpy as np


class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.9):
        self.eps, self.momentum = eps, momentum
        self.gamma, self.beta = np.ones((1, num_features)), np.zeros((1, num_features))
        self.running_mean = np.zeros((1, num_features))
        self.running_var = np.ones((1, num_features))

    def forward(self, x, train=True):
        if not train:
            out = (x - self.running_mean) / np.sqrt(self.running_var + self.eps)
            return self.gamma * out + self.beta, None
        mean, var = x.mean(0, keepdims=True), x.var(0, keepdims=True)
        for name, new in (("running_mean", mean), ("running_var", var)):
            old = getattr(self, name)
            setattr(self, name, self.momentum * old + (1 - self.momentum) * new)
        std = np.sqrt(var + self.eps)
        x_n = (x - mean) / std
        return self.gamma * x_n + self.beta, (x_n, std)

    def backward(self, dout, cache):
        x_n, std = cache
        n = len(x_n)
        dgamma, dbeta = (dout * x_n).sum(0), dout.sum(0)
        dx = self.gamma / (n * std) * (n * dout - dbeta - x_n * dgamma)
        return dx, dgamma, dbeta


class FullyConnected:
    def __init__(self, input_dim, hidden_dim):
        self.params = {"W": np.random.randn(input_dim, hidden_dim), "b": np.zeros(hidden_dim)}

    def forward(self, x):
        return x.dot(self.params["W"]) + self.params["b"], x

    def backward(self, dout, cache):
        return dout.dot(self.params["W"].T), cache.T.dot(dout), dout.sum(axis=0)
