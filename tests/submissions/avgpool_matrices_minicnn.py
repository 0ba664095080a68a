"""minicnn dialect: average pooling as two averaging matrices, one an axis; global the same way."""
import numpy as np


def axis_matrix(n, k, s, padding):
    """A (places, n): row p averages the pixels of window p that lie in the image."""
    if padding == "same":
        total = max((-(-n // s) - 1) * s + k - n, 0)
        before, after = total // 2, total - total // 2
    else:
        before, after = padding
    count = (n + before + after - k) // s + 1
    A = np.zeros((count, n))
    for p in range(count):
        A[p, max(p * s - before, 0):p * s - before + k] = 1.0
    return A / A.sum(axis=1, keepdims=True)


def avgpool2d_forward(x, *, size=2, stride=None, padding=0):
    k = (size, size) if np.isscalar(size) else size
    s = k if stride is None else stride
    s = (s, s) if np.isscalar(s) else s
    if padding == "valid":
        padding = 0
    if padding == "same" or np.isscalar(padding):
        padding = (padding, padding)
    per_axis = [(p, p) if np.isscalar(p) and p != "same" else p for p in padding]
    A = axis_matrix(x.shape[1], k[0], s[0], per_axis[0])
    B = axis_matrix(x.shape[2], k[1], s[1], per_axis[1])
    return np.einsum("ph,qw,nhwc->npqc", A, B, x), (A, B)


def avgpool2d_backward(dy, cache):
    A, B = cache
    return np.einsum("ph,qw,npqc->nhwc", A, B, dy)


def global_avgpool2d_forward(x):
    n, h, w, c = x.shape
    weights = np.full(h * w, 1 / (h * w))
    return np.einsum("m,nmc->nc", weights, x.reshape(n, h * w, c)), (weights, x.shape)


def global_avgpool2d_backward(dy, cache):
    weights, shape = cache
    return np.einsum("m,nc->nmc", weights, dy).reshape(shape)
