"""Layers whose arrays are made by a call of init_param, with filters (C, KH, KW, F); layer norm."""

import numpy as np


class ConvolutionalLayer:
    def __init__(self, kernel_size, channel_in, channel_out, padding, stride):
        self.shape = channel_in, kernel_size, kernel_size, channel_out
        self.kernel_size, self.padding, self.stride = kernel_size, padding, stride

    def init_param(self, std=0.01):
        self.weight = np.random.normal(scale=std, size=self.shape)
        self.bias = np.zeros(self.shape[3])

    def places(self, rows, columns):
        k, s = self.kernel_size, self.stride
        for i in range(rows):
            for j in range(columns):
                yield i, j, np.s_[:, :, i * s:i * s + k, j * s:j * s + k]

    def forward(self, x):
        p, k, s = self.padding, self.kernel_size, self.stride
        self.padded = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
        rows, columns = ((size - k) // s + 1 for size in self.padded.shape[2:])
        y = np.empty((len(x), self.shape[3], rows, columns))
        for i, j, place in self.places(rows, columns):
            y[:, :, i, j] = np.einsum("ncuv,cuvf->nf", self.padded[place], self.weight) + self.bias
        return y

    def backward(self, top_diff):
        self.d_weight, self.d_bias = np.zeros(self.shape), top_diff.sum(axis=(0, 2, 3))
        bottom = np.zeros_like(self.padded)
        for i, j, place in self.places(*top_diff.shape[2:]):
            g = top_diff[:, :, i, j]
            self.d_weight += np.einsum("ncuv,nf->cuvf", self.padded[place], g)
            bottom[place] += np.einsum("nf,cuvf->ncuv", g, self.weight)
        p = self.padding
        return bottom[:, :, p:bottom.shape[2] - p, p:bottom.shape[3] - p]


class FullyConnectedLayer:
    def __init__(self, num_input, num_output):
        self.sizes = num_input, num_output

    def init_param(self, std=0.01):
        self.weight = np.random.normal(scale=std, size=self.sizes)
        self.bias = np.zeros((1, self.sizes[1]))

    def forward(self, x):
        self.x = x
        return np.matmul(x, self.weight) + self.bias

    def backward(self, top_diff):
        self.d_weight = np.matmul(self.x.T, top_diff)
        self.d_bias = top_diff.sum(axis=0).reshape(1, -1)
        return np.matmul(top_diff, self.weight.T)


class BatchNorm1d:
    """Its momentum is called alpha, its statistics running_M and running_V."""

    def __init__(self, num_features, alpha=0.9):
        self.alpha, self.eps = alpha, 1e-8
        self.BW, self.Bb = np.ones((1, num_features)), np.zeros((1, num_features))
        self.running_M, self.running_V = np.zeros((1, num_features)), np.ones((1, num_features))

    def forward(self, Z, eval=False):
        if eval:
            mean, var = self.running_M, self.running_V
        else:
            mean, var = Z.mean(axis=0, keepdims=True), Z.var(axis=0, keepdims=True)
            self.running_M = self.alpha * self.running_M + (1 - self.alpha) * mean
            self.running_V = self.alpha * self.running_V + (1 - self.alpha) * var
        self.scale = np.sqrt(var + self.eps)
        self.NZ = (Z - mean) / self.scale
        return self.BW * self.NZ + self.Bb

    def backward(self, dLdBZ):
        self.dLdBW = (dLdBZ * self.NZ).sum(axis=0, keepdims=True)
        self.dLdBb = dLdBZ.sum(axis=0, keepdims=True)
        return self.BW / self.scale * (
            dLdBZ - (self.dLdBb + self.NZ * self.dLdBW) / len(dLdBZ))


class LayerNorm:
    def __init__(self, dim, eps=1e-5):
        self.eps = eps
        self.gamma, self.beta = np.ones(dim), np.zeros(dim)

    def forward(self, x):
        self.std = np.sqrt(x.var(axis=-1, keepdims=True) + self.eps)
        self.normal = (x - x.mean(axis=-1, keepdims=True)) / self.std
        return self.gamma * self.normal + self.beta

    def backward(self, dout):
        self.dgamma, self.dbeta = (dout * self.normal).sum(axis=0), dout.sum(axis=0)
        g = self.gamma * dout
        along = g.mean(axis=-1, keepdims=True)
        across = (g * self.normal).mean(axis=-1, keepdims=True)
        return (g - along - self.normal * across) / self.std
