"""Layers that are given their arrays, keep gradients as dW and db, and take a training flag."""

import numpy as np


def windows(images, height, width, stride, pad):
    """Every window of padded images as a row: (N, OH, OW, C, height, width)."""
    padded = np.pad(images, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    views = np.lib.stride_tricks.sliding_window_view(padded, (height, width), axis=(2, 3))
    return views[:, :, ::stride, ::stride].transpose(0, 2, 3, 1, 4, 5)


def put_back(rows, shape, stride, pad):
    """The sum of all windows where they came from."""
    n, c, h, w = shape
    _, oh, ow, _, height, width = rows.shape
    images = np.zeros((n, c, h + 2 * pad, w + 2 * pad))
    for i in range(oh):
        for j in range(ow):
            top, left = i * stride, j * stride
            images[:, :, top:top + height, left:left + width] += rows[:, i, j]
    return images[:, :, pad:pad + h, pad:pad + w]


class Relu:
    def __init__(self):
        self.mask = None

    def forward(self, x):
        self.mask = x <= 0
        y = x.copy()
        y[self.mask] = 0
        return y

    def backward(self, dout):
        return np.where(self.mask, 0, dout)


class Affine:
    def __init__(self, W, b):
        self.W = W
        self.b = b
        self.dW = None
        self.db = None

    def forward(self, x):
        self.shape = x.shape
        self.x = x.reshape(len(x), -1)
        return self.x @ self.W + self.b

    def backward(self, dout):
        self.dW = self.x.T @ dout
        self.db = dout.sum(axis=0)
        return (dout @ self.W.T).reshape(self.shape)


class Convolution:
    def __init__(self, W, b, stride=1, pad=0):
        self.W, self.b, self.stride, self.pad = W, b, stride, pad

    def forward(self, x):
        self.x = x
        filters, _, height, width = self.W.shape
        self.rows = windows(x, height, width, self.stride, self.pad)
        n, oh, ow = self.rows.shape[:3]
        self.flat = self.rows.reshape(n * oh * ow, -1)
        out = self.flat @ self.W.reshape(filters, -1).T + self.b
        return out.reshape(n, oh, ow, filters).transpose(0, 3, 1, 2)

    def backward(self, dout):
        filters = len(self.W)
        d = dout.transpose(0, 2, 3, 1).reshape(-1, filters)
        self.db = d.sum(axis=0)
        self.dW = (d.T @ self.flat).reshape(self.W.shape)
        drows = (d @ self.W.reshape(filters, -1)).reshape(self.rows.shape)
        return put_back(drows, self.x.shape, self.stride, self.pad)


class Pooling:
    def __init__(self, pool_h, pool_w, stride=2, pad=0):
        self.pool_h, self.pool_w, self.stride, self.pad = pool_h, pool_w, stride, pad

    def forward(self, x):
        self.x = x
        rows = windows(x, self.pool_h, self.pool_w, self.stride, self.pad)
        self.shape = rows.shape
        rows = rows.reshape(*rows.shape[:4], -1)
        self.best = rows.argmax(axis=-1)
        return rows.max(axis=-1).transpose(0, 3, 1, 2)

    def backward(self, dout):
        rows = np.zeros((*self.shape[:4], self.pool_h * self.pool_w))
        np.put_along_axis(
            rows, self.best[..., None], dout.transpose(0, 2, 3, 1)[..., None], axis=-1)
        return put_back(rows.reshape(self.shape), self.x.shape, self.stride, self.pad)


class BatchNormalization:
    def __init__(self, gamma, beta, momentum=0.9, running_mean=None, running_var=None):
        self.gamma, self.beta, self.momentum = gamma, beta, momentum
        self.running_mean, self.running_var = running_mean, running_var
        self.dgamma = self.dbeta = None

    def forward(self, x, train_flg=True):
        self.shape = x.shape
        if x.ndim == 4:
            x = x.reshape(len(x), -1)
        if self.running_mean is None:
            self.running_mean, self.running_var = np.zeros(x.shape[1]), np.zeros(x.shape[1])
        if train_flg:
            mean = x.mean(axis=0)
            self.centred = x - mean
            var = (self.centred ** 2).mean(axis=0)
            self.std = np.sqrt(var + 1e-6)
            self.normal = self.centred / self.std
            self.running_mean = self.momentum * self.running_mean + (1 - self.momentum) * mean
            self.running_var = self.momentum * self.running_var + (1 - self.momentum) * var
            normal = self.normal
        else:
            normal = (x - self.running_mean) / np.sqrt(self.running_var + 1e-6)
        return (self.gamma * normal + self.beta).reshape(self.shape)

    def backward(self, dout):
        dout = dout.reshape(len(dout), -1)
        self.dbeta = dout.sum(axis=0)
        self.dgamma = (dout * self.normal).sum(axis=0)
        dnormal = self.gamma * dout
        dcentred = dnormal / self.std
        dstd = -(dnormal * self.centred).sum(axis=0) / self.std ** 2
        dcentred = dcentred + self.centred * dstd / self.std / len(dout)
        return (dcentred - dcentred.mean(axis=0)).reshape(self.shape)


class Dropout:
    """Evaluation scales, as dropout was first published."""

    def __init__(self, dropout_ratio=0.5):
        self.dropout_ratio = dropout_ratio

    def forward(self, x, train_flg=True):
        if not train_flg:
            return x * (1 - self.dropout_ratio)
        self.mask = np.random.rand(*x.shape) > self.dropout_ratio
        return x * self.mask

    def backward(self, dout):
        return dout * self.mask


class SoftmaxWithLoss:
    def __init__(self):
        self.loss = None

    def forward(self, x, t):
        self.t = t.argmax(axis=1) if t.size == x.size else t
        shifted = x - x.max(axis=1, keepdims=True)
        self.y = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
        picked = self.y[np.arange(len(x)), self.t]
        self.loss = -np.log(picked + 1e-7).mean()
        return self.loss

    def backward(self, dout=1):
        dx = self.y.copy()
        dx[np.arange(len(dx)), self.t] -= 1
        return dx / len(dx)
