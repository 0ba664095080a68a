"""Coursera's dialect: the optional part alone, on the documented caches."""
import numpy as np


def conv_backward(dZ, cache):
    (A_prev, W, b, hparameters) = cache
    s, pad = hparameters["stride"], hparameters["pad"]
    f = len(W)
    dA_prev, dW = np.zeros(A_prev.shape), np.zeros(W.shape)
    db = np.zeros((1, 1, 1, W.shape[-1]))
    n_H_prev, n_W_prev = A_prev.shape[1], A_prev.shape[2]
    for h in range(dZ.shape[1]):
        for w in range(dZ.shape[2]):
            g = dZ[:, h, w, :]
            for i in range(f):
                for j in range(f):
                    r, q = h * s + i - pad, w * s + j - pad
                    if 0 <= r < n_H_prev and 0 <= q < n_W_prev:
                        dW[i, j] += A_prev[:, r, q, :].T.dot(g)
                        dA_prev[:, r, q, :] += g.dot(W[i, j].T)
    for c in range(db.shape[-1]):
        db[0, 0, 0, c] = np.sum(dZ[:, :, :, c])
    return dA_prev, dW, db


def pool_backward(dA, cache, mode="max"):
    (A_prev, hparameters) = cache
    f, s = hparameters["f"], hparameters["stride"]
    out = np.zeros(A_prev.shape)
    for i, sample in enumerate(A_prev):
        for h in range(dA.shape[1]):
            for w in range(dA.shape[2]):
                block = sample[h * s:h * s + f, w * s:w * s + f]       # (f, f, n_C)
                if mode == "max":
                    share = (block == block.max(axis=(0, 1))).astype(float)
                else:
                    share = np.ones_like(block) / block[..., 0].size
                out[i, h * s:h * s + f, w * s:w * s + f] += share * dA[i, h, w]
    return out
