"""Layers of images with the channels last, made at the first input or by build."""

import numpy as np


class Conv:
    """w is (F, KH, KW, C)."""

    def __init__(self, num_filters, kernel_size, stride=1):
        self.num_filters, self.kernel_size, self.stride = num_filters, kernel_size, stride
        self.w = self.b = None

    def forward(self, x):
        k, s = self.kernel_size, self.stride
        if self.w is None:
            self.w = np.random.randn(self.num_filters, k, k, x.shape[3])
            self.b = np.zeros(self.num_filters)
        self.x = x
        n, h, w, _ = x.shape
        out = np.empty((n, (h - k) // s + 1, (w - k) // s + 1, self.num_filters))
        for i in range(out.shape[1]):
            for j in range(out.shape[2]):
                window = x[:, i * s:i * s + k, j * s:j * s + k, :]
                out[:, i, j] = np.einsum("nuvc,fuvc->nf", window, self.w) + self.b
        return out

    def backward(self, dout):
        k, s = self.kernel_size, self.stride
        self.d_w, self.d_b = np.zeros_like(self.w), dout.sum((0, 1, 2))
        dx = np.zeros_like(self.x)
        for i in range(dout.shape[1]):
            for j in range(dout.shape[2]):
                at = np.s_[:, i * s:i * s + k, j * s:j * s + k, :]
                self.d_w += np.einsum("nuvc,nf->fuvc", self.x[at], dout[:, i, j])
                dx[at] += np.einsum("nf,fuvc->nuvc", dout[:, i, j], self.w)
        return dx


class BatchNormLayer:
    def __init__(self, eps=1e-5, momentum=0.9):
        self.eps, self.momentum = eps, momentum

    def build(self, input_shape):
        channels = input_shape[-1]
        self.gamma, self.beta = np.ones(channels), np.zeros(channels)
        self.moving_mean, self.moving_var = np.zeros(channels), np.ones(channels)

    def forward(self, x, mode="train"):
        axes = tuple(range(x.ndim - 1))
        self.mode = mode
        mean, var = self.moving_mean, self.moving_var
        if mode == "train":
            mean, var = x.mean(axes), x.var(axes)
            self.moving_mean = self.momentum * self.moving_mean + (1 - self.momentum) * mean
            self.moving_var = self.momentum * self.moving_var + (1 - self.momentum) * var
        self.r = 1 / np.sqrt(var + self.eps)
        self.normal = (x - mean) * self.r
        return self.gamma * self.normal + self.beta

    def backward(self, dout):
        axes = tuple(range(dout.ndim - 1))
        self.dgamma, self.dbeta = (dout * self.normal).sum(axes), dout.sum(axes)
        d = dout
        if self.mode == "train":
            d = d - dout.mean(axes) - self.normal * (dout * self.normal).mean(axes)
        return self.gamma * self.r * d


class MaxPooling:
    def __init__(self, pool_size=2, strides=2):
        self.pool_size, self.strides = pool_size, strides

    def forward_pass(self, x):
        p, s = self.pool_size, self.strides
        views = np.lib.stride_tricks.sliding_window_view(x, (p, p), axis=(1, 2))[:, ::s, ::s]
        self.shape, flat = x.shape, views.reshape(*views.shape[:4], -1)
        self.where = flat.argmax(-1)
        return flat.max(-1)

    def backward_pass(self, dout):
        dx, p, s = np.zeros(self.shape), self.pool_size, self.strides
        for (n, i, j, c), where in np.ndenumerate(self.where):
            dx[n, i * s + where // p, j * s + where % p, c] += dout[n, i, j, c]
        return dx
