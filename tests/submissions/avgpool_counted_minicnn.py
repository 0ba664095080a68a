"""minicnn dialect: average pooling and global average pooling, loops over windows, true counts."""
import numpy as np


def both(v):
    return (v, v) if np.isscalar(v) else tuple(v)


def margins(padding, n, k, s):
    if padding == "same":
        totals = [max((-(-a // c) - 1) * c + b - a, 0) for a, b, c in zip(n, k, s)]
        return [(t // 2, t - t // 2) for t in totals]
    if padding == "valid":
        padding = 0
    return [both(p) for p in both(padding)]


def places(n, k, s, margin):
    """Slices of one image axis, one for each window."""
    found = []
    for start in range(-margin[0], n + margin[1] - k + 1, s):
        found.append(slice(max(start, 0), min(start + k, n)))
    return found


def avgpool2d_forward(x, *, size=2, stride=None, padding=0):
    k = both(size)
    s = k if stride is None else both(stride)
    m = margins(padding, x.shape[1:3], k, s)
    rows, cols = (places(x.shape[a + 1], k[a], s[a], m[a]) for a in (0, 1))
    y = np.stack([np.stack([x[:, r, c].mean(axis=(1, 2)) for c in cols], 1) for r in rows], 1)
    return y, (x.shape, rows, cols)


def avgpool2d_backward(dy, cache):
    shape, rows, cols = cache
    dx = np.zeros(shape, dtype=dy.dtype)
    for p, r in enumerate(rows):
        for q, c in enumerate(cols):
            count = (r.stop - r.start) * (c.stop - c.start)
            dx[:, r, c] += dy[:, p, q][:, None, None, :] / count
    return dx


def global_avgpool2d_forward(x):
    return x.mean(axis=(1, 2)), x.shape


def global_avgpool2d_backward(dy, cache):
    n, h, w, c = cache
    return np.ones((n, h, w, c)) * dy[:, None, None, :] / (h * w)
