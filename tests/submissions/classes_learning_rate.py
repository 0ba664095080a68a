"""Layers whose backward takes a learning rate and moves the arrays itself."""

import numpy as np


class Layer:
    def forward(self, x):
        raise NotImplementedError

    def backward(self, grad, learning_rate):
        raise NotImplementedError


class DenseLayer(Layer):
    def __init__(self, input_size, output_size):
        self.weights = np.random.rand(input_size, output_size) - 0.5
        self.bias = np.random.rand(1, output_size) - 0.5

    def forward(self, x):
        self.x = x
        return x @ self.weights + self.bias

    def backward(self, grad, learning_rate):
        dx = grad @ self.weights.T
        self.weights -= learning_rate * self.x.T @ grad
        self.bias -= learning_rate * grad.sum(axis=0, keepdims=True)
        return dx


class ConvLayer(Layer):
    """Square windows without a rim."""

    def __init__(self, num_filters, filter_size, channels):
        self.filters = np.random.randn(num_filters, channels, filter_size, filter_size)
        self.bias = np.zeros(num_filters)

    def forward(self, x):
        self.x, k = x, self.filters.shape[2]
        views = np.lib.stride_tricks.sliding_window_view(x, (k, k), axis=(2, 3))
        return np.einsum("ncijuv,fcuv->nfij", views, self.filters) + self.bias[:, None, None]

    def backward(self, grad, lr):
        k = self.filters.shape[2]
        views = np.lib.stride_tricks.sliding_window_view(self.x, (k, k), axis=(2, 3))
        dfilters = np.einsum("ncijuv,nfij->fcuv", views, grad)
        rim = np.pad(grad, ((0, 0), (0, 0), (k - 1, k - 1), (k - 1, k - 1)))
        turned = self.filters[:, :, ::-1, ::-1]
        views = np.lib.stride_tricks.sliding_window_view(rim, (k, k), axis=(2, 3))
        dx = np.einsum("nfijuv,fcuv->ncij", views, turned)
        self.filters = self.filters - lr * dfilters
        self.bias = self.bias - lr * grad.sum((0, 2, 3))
        return dx
