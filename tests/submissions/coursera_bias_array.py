"""Coursera's dialect: a bias that stays an array of one element, the mode always given."""
import numpy as np


def zero_pad(X, pad):
    return np.pad(X, ((0,), (pad,), (pad,), (0,)), 'constant')


def conv_single_step(a_slice_prev, W, b):
    s = a_slice_prev * W
    Z = np.sum(s)
    Z = Z + b

    return Z


def conv_forward(A_prev, W, b, hparameters):
    m, n_H_prev, n_W_prev, n_C_prev = np.shape(A_prev)
    f, _, _, n_C = np.shape(W)
    stride, pad = hparameters['stride'], hparameters['pad']
    n_H = int(np.floor((n_H_prev + 2 * pad - f) / stride + 1))
    n_W = int(np.floor((n_W_prev + 2 * pad - f) / stride + 1))
    Z = np.zeros([m, n_H, n_W, n_C])
    A_pad = zero_pad(A_prev, pad)
    for c in range(n_C):
        for w in range(n_W):
            for h in range(n_H):
                for i in range(m):
                    piece = A_pad[i, stride * h:stride * h + f, stride * w:stride * w + f, :]
                    Z[i, h, w, c] = conv_single_step(piece, W[:, :, :, c], b[:, :, :, c])
    assert Z.shape == (m, n_H, n_W, n_C)
    return Z, (A_prev, W, b, hparameters)


def pool_forward(A_prev, hparameters, mode):
    m, n_H_prev, n_W_prev, n_C = A_prev.shape
    f, stride = hparameters['f'], hparameters['stride']
    n_H = 1 + (n_H_prev - f) // stride
    n_W = 1 + (n_W_prev - f) // stride
    A = np.zeros((m, n_H, n_W, n_C))
    for h in range(n_H):
        for w in range(n_W):
            piece = A_prev[:, h * stride:h * stride + f, w * stride:w * stride + f, :]
            if mode == 'max':
                A[:, h, w, :] = piece.max(axis=1).max(axis=1)
            if mode == 'average':
                A[:, h, w, :] = piece.sum(axis=1).sum(axis=1) / (f * f)
    return A, (A_prev, hparameters)


def conv_backward(dZ, cache):
    A_prev, W, b, hparameters = cache
    stride, pad = hparameters['stride'], hparameters['pad']
    m, n_H, n_W, n_C = dZ.shape
    f = W.shape[0]
    A_pad = zero_pad(A_prev, pad)
    dA_pad = np.zeros(A_pad.shape)
    dW, db = np.zeros_like(W), np.zeros((1, 1, 1, n_C))
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    top, left = h * stride, w * stride
                    dA_pad[i, top:top + f, left:left + f] += W[..., c] * dZ[i, h, w, c]
                    dW[..., c] += A_pad[i, top:top + f, left:left + f] * dZ[i, h, w, c]
                    db[..., c] += dZ[i, h, w, c]
    if pad > 0:
        dA_prev = dA_pad[:, pad:-pad, pad:-pad, :]
    else:
        dA_prev = dA_pad
    return dA_prev, dW, db


def pool_backward(dA, cache, mode):
    A_prev, hparameters = cache
    f, stride = hparameters['f'], hparameters['stride']
    dA_prev = np.zeros_like(A_prev)
    m, n_H, n_W, n_C = dA.shape
    for i in range(m):
        for c in range(n_C):
            for h in range(n_H):
                for w in range(n_W):
                    piece = A_prev[i, h * stride:h * stride + f, w * stride:w * stride + f, c]
                    target = dA_prev[i, h * stride:h * stride + f, w * stride:w * stride + f, c]
                    if mode == 'max':
                        hits = piece == piece.max()
                        target += dA[i, h, w, c] * hits / hits.sum()
                    else:
                        target += dA[i, h, w, c] / f ** 2
    return dA_prev
