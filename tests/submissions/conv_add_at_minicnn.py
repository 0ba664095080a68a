"""minicnn dialect: convolution that gathers patches by index arrays and scatters by np.add.at."""
import numpy as np


def as_pair(value):
    if isinstance(value, (tuple, list)):
        return value[0], value[1]
    return value, value


def borders(padding, image, kernel, steps):
    if padding == "same":
        need = [max((-(-m // s) - 1) * s + k - m, 0) for m, k, s in zip(image, kernel, steps)]
        return [(t // 2, t - t // 2) for t in need]
    if padding == "valid":
        padding = 0
    return [as_pair(side) for side in as_pair(padding)]


def conv2d_forward(x, w, b=None, *, stride=1, padding=0):
    kh, kw = w.shape[0], w.shape[1]
    sh, sw = as_pair(stride)
    (t, bo), (l, r) = borders(padding, x.shape[1:3], (kh, kw), (sh, sw))
    xp = np.pad(x, [(0, 0), (t, bo), (l, r), (0, 0)])
    oh = (xp.shape[1] - kh) // sh + 1
    ow = (xp.shape[2] - kw) // sw + 1
    # row index (oh, 1, kh, 1) and column index (1, ow, 1, kw) broadcast to every patch
    R = (sh * np.arange(oh)[:, None] + np.arange(kh))[:, None, :, None]
    Q = (sw * np.arange(ow)[:, None] + np.arange(kw))[None, :, None, :]
    patches = xp[:, R, Q]  # (N, oh, ow, kh, kw, C)
    y = np.tensordot(patches, w, axes=3)
    has_bias = b is not None
    if has_bias:
        y = y + b
    return y, (patches, w, R, Q, xp.shape, x.shape, (t, l), has_bias)


def conv2d_backward(dy, cache):
    patches, w, R, Q, padded_shape, x_shape, (t, l), has_bias = cache
    batch_and_image = [0, 1, 2]
    dw = np.tensordot(patches, dy, axes=(batch_and_image, batch_and_image))
    db = np.sum(dy, axis=tuple(batch_and_image)) if has_bias else None
    dpatches = np.tensordot(dy, w, axes=(3, 3))  # same axes as patches
    dxp = np.zeros(padded_shape, dpatches.dtype)
    np.add.at(dxp, (slice(None), R, Q), dpatches)
    _, height, width, _ = x_shape
    dx = dxp[:, t:t + height, l:l + width]
    return dx, dw, db
