"""minicnn dialect: convolution as a loop over the places of the kernel, each one a matmul."""
import numpy as np


def pair(v):
    return (v, v) if np.isscalar(v) else tuple(v)


def rim(padding, lengths, kernel, stride):
    """((top, bottom), (left, right)) from everything that padding may be."""
    if isinstance(padding, str):
        if padding == "valid":
            return (0, 0), (0, 0)
        sides = []
        for n, k, s in zip(lengths, kernel, stride):
            places = (n + s - 1) // s
            total = max(0, (places - 1) * s + k - n)
            sides.append((total // 2, total - total // 2))
        return tuple(sides)
    vertical, horizontal = pair(padding)
    return pair(vertical), pair(horizontal)


def conv2d_forward(x, w, b=None, *, stride=1, padding=0):
    sh, sw = pair(stride)
    KH, KW, C, K = w.shape
    N, H, W, _ = x.shape
    sides = rim(padding, (H, W), (KH, KW), (sh, sw))
    xp = np.pad(x, ((0, 0), sides[0], sides[1], (0, 0)))
    OH = (xp.shape[1] - KH) // sh + 1
    OW = (xp.shape[2] - KW) // sw + 1
    y = np.zeros((N, OH, OW, K), dtype=np.result_type(x, w))
    for i in range(KH):
        for j in range(KW):
            rows = slice(i, i + sh * (OH - 1) + 1, sh)
            cols = slice(j, j + sw * (OW - 1) + 1, sw)
            y += xp[:, rows, cols] @ w[i, j]
    if b is not None:
        y = y + b
    cache = dict(xp=xp, w=w, bias=b is not None, sides=sides, hw=(H, W), stride=(sh, sw))
    return y, cache


def conv2d_backward(dy, cache):
    xp, w = cache["xp"], cache["w"]
    sh, sw = cache["stride"]
    KH, KW, C, K = w.shape
    N, OH, OW, _ = dy.shape
    dxp = np.zeros_like(xp)
    dw = np.zeros_like(w)
    flat = dy.reshape(-1, K)
    for i in range(KH):
        for j in range(KW):
            here = np.s_[:, i:i + sh * OH - sh + 1:sh, j:j + sw * OW - sw + 1:sw]
            dxp[here] += dy @ w[i, j].T
            dw[i, j] = xp[here].reshape(-1, C).T @ flat
    db = flat.sum(axis=0) if cache["bias"] else None
    (top, _), (left, _) = cache["sides"]
    H, W = cache["hw"]
    return dxp[:, top:top + H, left:left + W], dw, db
