"""CS231n dialect: max pooling over output positions with a one-hot mask for each window."""
import numpy as np


def max_pool_forward_naive(x, pool_param):
    hp, wp = pool_param["pool_height"], pool_param["pool_width"]
    S = pool_param["stride"]
    N, C, H, W = x.shape
    Ho, Wo = (H - hp) // S + 1, (W - wp) // S + 1
    out = np.empty((N, C, Ho, Wo), dtype=x.dtype)
    for i in range(Ho):
        for j in range(Wo):
            out[:, :, i, j] = x[:, :, i*S:i*S+hp, j*S:j*S+wp].max(axis=(2, 3))
    return out, (x, out, pool_param)


def first_hit(hits):
    """Of the True entries along the last axis keep only the first."""
    return hits & (np.cumsum(hits, axis=-1) == 1)


def max_pool_backward_naive(dout, cache):
    x, out, pool_param = cache
    hp, wp = pool_param["pool_height"], pool_param["pool_width"]
    S = pool_param["stride"]
    N, C, Ho, Wo = dout.shape
    dx = np.zeros_like(x)
    for i in range(Ho):
        for j in range(Wo):
            r, c = i * S, j * S
            window = x[:, :, r:r + hp, c:c + wp].reshape(N, C, hp * wp)
            mask = first_hit(window == out[:, :, i, j, None])
            grad = mask * dout[:, :, i, j, None]
            dx[:, :, r:r + hp, c:c + wp] += grad.reshape(N, C, hp, wp)
    return dx
