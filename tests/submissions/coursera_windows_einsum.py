"""Coursera's dialect: no helper functions, einsum over windows, a cache of its own."""
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def _windows(array, f, stride):
    """(m, n_H, n_W, n_C, f, f)"""
    return sliding_window_view(array, (f, f), axis=(1, 2))[:, ::stride, ::stride]


def conv_forward(A_prev, W, b, hparams):
    """Z (m, n_H, n_W, n_C)"""
    f = W.shape[0]
    pad, stride = hparams["pad"], hparams["stride"]
    padded = np.pad(A_prev, [(0, 0), (pad, pad), (pad, pad), (0, 0)])
    view = _windows(padded, f, stride)
    Z = np.einsum("mhwcij,ijck->mhwk", view, W) + b.reshape(-1)
    return Z, {"view": view, "W": W, "padded": padded.shape, "shape": A_prev.shape, "hp": hparams}


def conv_backward(dZ, cache):
    W, (pad, stride) = cache["W"], (cache["hp"]["pad"], cache["hp"]["stride"])
    dW = np.einsum("mhwcij,mhwk->ijck", cache["view"], dZ)
    db = np.sum(dZ, axis=(0, 1, 2))[np.newaxis, np.newaxis, np.newaxis, :]
    grown = np.zeros(cache["padded"])
    n_H, n_W = dZ.shape[1:3]
    for i in range(W.shape[0]):
        for j in range(W.shape[1]):
            rows = slice(i, i + (n_H - 1) * stride + 1, stride)
            columns = slice(j, j + (n_W - 1) * stride + 1, stride)
            grown[:, rows, columns] += dZ @ W[i, j].T
    _, height, width, _ = cache["shape"]
    return grown[:, pad:height + pad, pad:width + pad], dW, db


def pool_forward(A_prev, hparams, mode="max"):
    view = _windows(A_prev, hparams["f"], hparams["stride"])
    if mode == "max":
        A = view.max((-2, -1))
    elif mode == "average":
        A = view.mean((-2, -1))
    else:
        raise ValueError(mode)
    return A, (A_prev, hparams, A)


def pool_backward(dA, cache, mode="max"):
    A_prev, hparams, A = cache
    f, stride = hparams["f"], hparams["stride"]
    result = np.zeros(A_prev.shape)
    n_H, n_W = dA.shape[1:3]
    free = np.ones(dA.shape, bool)  # whether a window's maximum is still to be found
    for i in range(f):
        for j in range(f):
            rows = slice(i, i + (n_H - 1) * stride + 1, stride)
            columns = slice(j, j + (n_W - 1) * stride + 1, stride)
            if mode == "average":
                result[:, rows, columns] += dA / (f * f)
                continue
            hit = free & (A_prev[:, rows, columns] == A)
            free &= ~hit
            result[:, rows, columns] += np.where(hit, dA, 0)
    return result
