"""Coursera's dialect: the whole batch at once, tensordot, and the first of equal maxima."""
import numpy as np


def zero_pad(X, pad):
    m, n_H, n_W, n_C = X.shape
    X_pad = np.zeros((m, n_H + 2 * pad, n_W + 2 * pad, n_C), dtype=X.dtype)
    X_pad[:, pad:pad + n_H, pad:pad + n_W, :] = X
    return X_pad


def conv_single_step(a_slice_prev, W, b):
    return np.dot(a_slice_prev.ravel(), W.ravel()) + b[0, 0, 0]


def conv_forward(A_prev, W, b, hparameters):
    s, p = hparameters["stride"], hparameters["pad"]
    f = W.shape[0]
    padded = zero_pad(A_prev, p)
    n_H = (padded.shape[1] - f) // s + 1
    n_W = (padded.shape[2] - f) // s + 1
    Z = np.zeros((A_prev.shape[0], n_H, n_W, W.shape[3]))
    for h in range(n_H):
        for w in range(n_W):
            block = padded[:, h * s:h * s + f, w * s:w * s + f, :]
            Z[:, h, w, :] = np.tensordot(block, W, axes=3)
    return Z + b, (A_prev, W, b, hparameters)


def conv_backward(dZ, cache):
    A_prev, W, b, hparameters = cache
    s, p, f = hparameters["stride"], hparameters["pad"], W.shape[0]
    padded = zero_pad(A_prev, p)
    dpadded = np.zeros_like(padded)
    dW = np.zeros(W.shape)
    for h in range(dZ.shape[1]):
        for w in range(dZ.shape[2]):
            here = np.s_[:, h * s:h * s + f, w * s:w * s + f, :]
            dW += np.tensordot(padded[here], dZ[:, h, w, :], axes=([0], [0]))
            dpadded[here] += np.tensordot(dZ[:, h, w, :], W, axes=([1], [3]))
    db = dZ.sum(axis=(0, 1, 2), keepdims=True)
    n_H_prev, n_W_prev = A_prev.shape[1:3]
    return dpadded[:, p:p + n_H_prev, p:p + n_W_prev, :], dW, db


def pool_forward(A_prev, hparameters, mode="max"):
    f, s = hparameters["f"], hparameters["stride"]
    reduce = np.max if mode == "max" else np.mean
    rows = range(0, A_prev.shape[1] - f + 1, s)
    columns = range(0, A_prev.shape[2] - f + 1, s)
    A = np.stack([
        np.stack([reduce(A_prev[:, r:r + f, c:c + f], axis=(1, 2)) for c in columns], axis=1)
        for r in rows
    ], axis=1)
    return A, (A_prev, hparameters)


def create_mask_from_window(x):
    mask = np.zeros(x.shape, dtype=bool)
    mask[np.unravel_index(x.argmax(), x.shape)] = True
    return mask


def distribute_value(dz, shape):
    return np.full(shape, dz / np.prod(shape))


def pool_backward(dA, cache, mode="max"):
    A_prev, hparameters = cache
    f, s = hparameters["f"], hparameters["stride"]
    dA_prev = np.zeros(A_prev.shape)
    for (i, h, w, c), gradient in np.ndenumerate(dA):
        here = np.s_[i, h * s:h * s + f, w * s:w * s + f, c]
        if mode == "max":
            dA_prev[here] += gradient * create_mask_from_window(A_prev[here])
        else:
            dA_prev[here] += distribute_value(gradient, (f, f))
    return dA_prev
