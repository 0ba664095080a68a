"""minicnn dialect: convolution by einsum over as_strided windows, dx as transposed convolution."""
import numpy as np
from numpy.lib.stride_tricks import as_strided


def two(v):
    return (v, v) if isinstance(v, (int, np.integer)) else tuple(v)


def windows(a, kh, kw, sh=1, sw=1):
    """All kh x kw windows of a (N, H, W, C) as a view (N, OH, OW, kh, kw, C)."""
    n, h, w, c = a.shape
    s0, s1, s2, s3 = a.strides
    shape = (n, (h - kh) // sh + 1, (w - kw) // sw + 1, kh, kw, c)
    return as_strided(a, shape, (s0, s1 * sh, s2 * sw, s1, s2, s3), writeable=False)


class Saved:
    def __init__(self, **things):
        self.__dict__.update(things)


def same_padding(n, k, s):
    missing = max((-(-n // s) - 1) * s + k - n, 0)
    return missing // 2, missing - missing // 2


def conv2d_forward(x, w, b=None, *, stride=1, padding=0):
    kh, kw = w.shape[:2]
    h, wd = x.shape[1:3]
    sh, sw = two(stride)
    if padding == "valid":
        padding = 0
    if padding == "same":
        ph, pw = same_padding(h, kh, sh), same_padding(wd, kw, sw)
    else:
        ph, pw = (two(p) for p in two(padding))
    xp = np.pad(x, ((0, 0), ph, pw, (0, 0)))
    y = np.einsum("npqijc,ijck->npqk", windows(xp, kh, kw, sh, sw), w, optimize=True)
    if b is not None:
        y += b
    return y, Saved(xp=xp, w=w, b=b, step=(sh, sw), ph=ph, pw=pw, size=(h, wd))


def conv2d_backward(dy, cache):
    xp, w = cache.xp, cache.w
    sh, sw = cache.step
    kh, kw, c, k = w.shape
    dw = np.einsum("npqijc,npqk->ijck", windows(xp, kh, kw, sh, sw), dy, optimize=True)
    db = None if cache.b is None else dy.sum(axis=(0, 1, 2))

    # transposed convolution: dilate dy, give it a rim of k - 1, slide the rotated kernel over it
    n, hp, wp, _ = xp.shape
    big = np.zeros((n, hp + kh - 1, wp + kw - 1, k), dy.dtype)
    big[:, kh - 1:hp:sh, kw - 1:wp:sw] = dy
    rotated = np.rot90(w, 2, axes=(0, 1))
    dxp = np.einsum("npqijk,ijck->npqc", windows(big, kh, kw), rotated, optimize=True)
    top, left = cache.ph[0], cache.pw[0]
    dx = dxp[:, top:top + cache.size[0], left:left + cache.size[1]]
    return dx, dw, db
