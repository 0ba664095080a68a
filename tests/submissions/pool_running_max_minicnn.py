"""minicnn dialect: max pooling by a running maximum over the places of the window."""
import numpy as np


def _pair(v):
    return (v, v) if np.isscalar(v) else tuple(v)


def _pads(padding, lengths, size, stride):
    if padding == "valid":
        return (0, 0), (0, 0)
    if padding == "same":
        out = []
        for n, k, s in zip(lengths, size, stride):
            t = max((-(-n // s) - 1) * s + k - n, 0)
            out.append((t // 2, t - t // 2))
        return tuple(out)
    return tuple(_pair(side) for side in _pair(padding))


def maxpool2d_forward(x, *, size=2, stride=None, padding=0):
    size = _pair(size)
    stride = size if stride is None else _pair(stride)
    pads = _pads(padding, x.shape[1:3], size, stride)
    # minus infinity outside: the padding never wins
    xp = np.pad(x, ((0, 0), *pads, (0, 0)), constant_values=-np.inf)
    oh = (xp.shape[1] - size[0]) // stride[0] + 1
    ow = (xp.shape[2] - size[1]) // stride[1] + 1

    y = np.full((x.shape[0], oh, ow, x.shape[3]), -np.inf, dtype=x.dtype)
    winner = np.zeros(y.shape, dtype=int)
    for place in range(size[0] * size[1]):
        i, j = divmod(place, size[1])
        candidate = xp[:, i::stride[0], j::stride[1]][:, :oh, :ow]
        better = candidate > y          # strictly: the first of equals stays
        y[better] = candidate[better]
        winner[better] = place
    return y, (winner, x.shape, xp.shape, size, stride, pads)


def maxpool2d_backward(dy, cache):
    winner, x_shape, xp_shape, size, stride, pads = cache
    oh, ow = dy.shape[1:3]
    dxp = np.zeros(xp_shape, dtype=dy.dtype)
    for place in range(size[0] * size[1]):
        i, j = divmod(place, size[1])
        share = np.where(winner == place, dy, 0)
        dxp[:, i::stride[0], j::stride[1]][:, :oh, :ow] += share
    top, left = pads[0][0], pads[1][0]
    return dxp[:, top:top + x_shape[1], left:left + x_shape[2]]
