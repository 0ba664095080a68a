"""Layers that are given sizes and make their arrays; train() and eval() as in PyTorch."""

import numpy as np


class Module:
    def __init__(self):
        self.training = True

    def train(self):
        self.training = True

    def eval(self):
        self.training = False

    def forward(self, x):
        raise NotImplementedError

    def backward(self, grad_output):
        raise NotImplementedError


class Linear(Module):
    def __init__(self, in_features, out_features, bias=True):
        super().__init__()
        self.weight = np.random.randn(out_features, in_features) / np.sqrt(in_features)
        self.bias = np.zeros(out_features) if bias else None

    def forward(self, x):
        self.x = x
        return x @ self.weight.T + self.bias

    def backward(self, grad_output):
        self.weight_grad = grad_output.T @ self.x
        self.bias_grad = grad_output.sum(0)
        return grad_output @ self.weight


class Conv2d(Module):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        super().__init__()
        k = kernel_size
        self.kernel_size, self.stride, self.padding = k, stride, padding
        self.weight = 0.1 * np.random.randn(out_channels, in_channels, k, k)
        self.bias = np.zeros((out_channels, 1))

    def forward(self, x):
        k, s, p = self.kernel_size, self.stride, self.padding
        self.padded = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
        n, _, h, w = self.padded.shape
        oh, ow = (h - k) // s + 1, (w - k) // s + 1
        out = np.zeros((n, len(self.weight), oh, ow))
        for i in range(oh):
            for j in range(ow):
                window = self.padded[:, :, i * s:i * s + k, j * s:j * s + k]
                out[:, :, i, j] = np.tensordot(window, self.weight, ((1, 2, 3), (1, 2, 3)))
        return out + self.bias[:, :, None]

    def backward(self, grad_output):
        k, s, p = self.kernel_size, self.stride, self.padding
        self.weight_grad = np.zeros_like(self.weight)
        self.bias_grad = grad_output.sum((0, 2, 3)).reshape(-1, 1)
        dpadded = np.zeros_like(self.padded)
        for i in range(grad_output.shape[2]):
            for j in range(grad_output.shape[3]):
                g = grad_output[:, :, i, j]
                at = np.s_[:, :, i * s:i * s + k, j * s:j * s + k]
                self.weight_grad += np.tensordot(g, self.padded[at], (0, 0))
                dpadded[at] += np.tensordot(g, self.weight, (1, 0))
        return dpadded[:, :, p:dpadded.shape[2] - p, p:dpadded.shape[3] - p]


class BatchNorm2d(Module):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight, self.bias = np.ones(num_features), np.zeros(num_features)
        self.running_mean, self.running_var = np.zeros(num_features), np.ones(num_features)

    def forward(self, x):
        def wide(v):
            return v[None, :, None, None]

        if self.training:
            mean, var = x.mean((0, 2, 3)), x.var((0, 2, 3))
            self.running_mean += self.momentum * (mean - self.running_mean)
            self.running_var += self.momentum * (var - self.running_var)
        else:
            mean, var = self.running_mean, self.running_var
        self.r = 1 / np.sqrt(var + self.eps)
        self.x_hat = (x - wide(mean)) * wide(self.r)
        return wide(self.weight) * self.x_hat + wide(self.bias)

    def backward(self, grad_output):
        self.bias_grad = grad_output.sum((0, 2, 3))
        self.weight_grad = (grad_output * self.x_hat).sum((0, 2, 3))
        m = grad_output.size / len(self.weight)
        first = grad_output
        if self.training:
            first = grad_output - (self.bias_grad[None, :, None, None]
                                   + self.x_hat * self.weight_grad[None, :, None, None]) / m
        return first * (self.weight * self.r)[None, :, None, None]


class Dropout(Module):
    def __init__(self, p=0.5):
        super().__init__()
        self.p = p

    def forward(self, x):
        if not self.training:
            self.mask = np.ones_like(x)
        else:
            self.mask = (np.random.uniform(size=x.shape) >= self.p) / (1 - self.p)
        return x * self.mask

    def backward(self, grad_output):
        return grad_output * self.mask


class MaxPool2d(Module):
    def __init__(self, kernel_size, stride=None):
        super().__init__()
        self.kernel_size, self.stride = kernel_size, stride or kernel_size

    def forward(self, x):
        self.x, k, s = x, self.kernel_size, self.stride
        oh, ow = (x.shape[2] - k) // s + 1, (x.shape[3] - k) // s + 1
        return np.stack([
            np.stack([x[:, :, i * s:i * s + k, j * s:j * s + k].max((2, 3)) for j in range(ow)], -1)
            for i in range(oh)], -2)

    def backward(self, grad_output):
        dx, k, s = np.zeros_like(self.x), self.kernel_size, self.stride
        for (n, c, i, j), g in np.ndenumerate(grad_output):
            window = self.x[n, c, i * s:i * s + k, j * s:j * s + k]
            row, col = np.unravel_index(window.argmax(), window.shape)
            dx[n, c, i * s + row, j * s + col] += g
        return dx


class ReLU(Module):
    def forward(self, x):
        self.x = x
        return x * (x > 0)

    def backward(self, grad_output):
        return grad_output * (self.x > 0)
