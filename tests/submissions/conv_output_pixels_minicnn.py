"""minicnn dialect: convolution by output pixel, the whole batch at once, cache as a class."""
import numpy as np


class ConvCache:
    def __init__(self, x, padded, w, b, stride, corner):
        self.x, self.padded, self.w, self.b = x, padded, w, b
        self.stride, self.corner = stride, corner


def split(value):
    try:
        first, second = value
    except TypeError:
        first = second = value
    return first, second


def pad_image(x, padding, kernel, stride):
    """The padded batch, and where the image begins in it."""
    sides = [(0, 0), (0, 0)]
    if padding == "same":
        for a in (0, 1):
            length = x.shape[a + 1]
            rest = length % stride[a] or stride[a]
            lacking = max(kernel[a] - rest, 0)
            sides[a] = (lacking // 2, lacking - lacking // 2)
    elif padding != "valid":
        sides = [split(side) for side in split(padding)]
    bigger = np.pad(x, ((0, 0), sides[0], sides[1], (0, 0)), mode="constant")
    return bigger, (sides[0][0], sides[1][0])


def conv2d_forward(x, w, b=None, *, stride=1, padding=0):
    kh, kw, _, filters = w.shape
    down, across = split(stride)
    padded, corner = pad_image(x, padding, (kh, kw), (down, across))
    out_h = (padded.shape[1] - kh) // down + 1
    out_w = (padded.shape[2] - kw) // across + 1
    y = np.empty((x.shape[0], out_h, out_w, filters), np.result_type(x, w))
    for p in range(out_h):
        for q in range(out_w):
            patch = padded[:, p * down:p * down + kh, q * across:q * across + kw, :]
            y[:, p, q] = np.tensordot(patch, w, axes=([1, 2, 3], [0, 1, 2]))
    if b is not None:
        y += b
    return y, ConvCache(x, padded, w, b, (down, across), corner)


def conv2d_backward(dy, cache):
    w = cache.w
    kh, kw = w.shape[:2]
    down, across = cache.stride
    dpadded = np.zeros_like(cache.padded)
    dw = np.zeros_like(w)
    for p in range(dy.shape[1]):
        for q in range(dy.shape[2]):
            place = np.s_[:, p * down:p * down + kh, q * across:q * across + kw, :]
            g = dy[:, p, q]                                          # (N, K)
            dw += np.tensordot(cache.padded[place], g, axes=(0, 0))
            dpadded[place] += np.tensordot(g, w, axes=(1, 3))
    db = None
    if cache.b is not None:
        db = dy.reshape(-1, dy.shape[-1]).sum(axis=0)
    y0, x0 = cache.corner
    h, width = cache.x.shape[1:3]
    return dpadded[:, y0:y0 + h, x0:x0 + width].copy(), dw, db
