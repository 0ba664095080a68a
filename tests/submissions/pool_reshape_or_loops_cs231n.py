"""CS231n dialect: tiles by a reshape, other windows by loops; equal maxima share alike."""
import numpy as np


def tiles(x, pool_param):
    size = pool_param["pool_height"]
    same = size == pool_param["pool_width"] == pool_param["stride"]
    return same and x.shape[2] % size == 0 and x.shape[3] % size == 0


def max_pool_forward_naive(x, pool_param):
    N, C, H, W = x.shape
    ph, pw, s = pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"]
    if tiles(x, pool_param):
        out = x.reshape(N, C, H // ph, ph, W // pw, pw).max(axis=5).max(axis=3)
    else:
        out = np.zeros((N, C, 1 + (H - ph) // s, 1 + (W - pw) // s))
        for i in range(out.shape[2]):
            for j in range(out.shape[3]):
                out[:, :, i, j] = np.amax(x[:, :, i * s:i * s + ph, j * s:j * s + pw], axis=(2, 3))
    return out, (x, out, pool_param)


def max_pool_backward_naive(dout, cache):
    x, out, pool_param = cache
    N, C, H, W = x.shape
    ph, pw, s = pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"]
    if tiles(x, pool_param):
        cells = x.reshape(N, C, H // ph, ph, W // pw, pw)
        mask = (cells == out[:, :, :, None, :, None]).astype(float)
        mask /= mask.sum(axis=(3, 5), keepdims=True)
        return (mask * dout[:, :, :, None, :, None]).reshape(x.shape)
    dx = np.zeros(x.shape)
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            here = np.s_[:, :, i * s:i * s + ph, j * s:j * s + pw]
            hits = x[here] == out[:, :, i, j][:, :, None, None]
            dx[here] += hits / hits.sum((2, 3), keepdims=True) * dout[:, :, i, j][:, :, None, None]
    return dx
