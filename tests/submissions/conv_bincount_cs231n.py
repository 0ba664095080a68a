"""CS231n dialect: rows of windows gathered by a table of indices, scattered back by bincount."""
import numpy as np


def _table(C, Hp, Wp, HH, WW, stride):
    """(H'*W', C*HH*WW): where each window's elements lie in a flat padded image."""
    tops = np.arange(0, Hp - HH + 1, stride)
    lefts = np.arange(0, Wp - WW + 1, stride)
    corner = (tops[:, None] * Wp + lefts).ravel()
    c, i, j = np.meshgrid(range(C), range(HH), range(WW), indexing="ij")
    inside = (c * Hp * Wp + i * Wp + j).ravel()
    return corner[:, None] + inside, len(tops), len(lefts)


def conv_forward_naive(x, w, b, conv_param):
    p, s = conv_param["pad"], conv_param["stride"]
    N, C, H, W = x.shape
    F, _, HH, WW = w.shape
    xp = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)), "constant", constant_values=0)
    table, Ho, Wo = _table(C, H + 2 * p, W + 2 * p, HH, WW, s)
    rows = xp.reshape(N, -1)[:, table]                  # N, Ho*Wo, C*HH*WW
    out = rows.dot(w.reshape(F, -1).T) + b              # N, Ho*Wo, F
    out = out.transpose(0, 2, 1).reshape(N, F, Ho, Wo)
    return out, (x, w, rows, table, p)


def conv_backward_naive(dout, cache):
    x, w, rows, table, p = cache
    N, C, H, W = x.shape
    F = w.shape[0]
    grad = np.moveaxis(dout, 1, -1).reshape(N, -1, F)   # N, Ho*Wo, F
    db = np.sum(grad, axis=(0, 1))
    dw = np.tensordot(grad, rows, axes=([0, 1], [0, 1])).reshape(w.shape)
    drows = grad @ w.reshape(F, -1)
    size = C * (H + 2 * p) * (W + 2 * p)
    dx = np.stack([np.bincount(table.ravel(), each.ravel(), size) for each in drows])
    dx = dx.reshape(N, C, H + 2 * p, W + 2 * p)
    if p:
        dx = dx[:, :, p:-p, p:-p]
    return dx, dw, db
