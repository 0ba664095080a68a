"""minicnn dialect: average pooling by a table of sums; max pooling by sorted windows."""
import numpy as np


def _both(value):
    return tuple(value) if hasattr(value, "__len__") else (value, value)


def _spans(length, k, s, sides):
    before, after = _both(sides)
    starts = range(-before, length + after - k + 1, s)
    return [(max(0, a), min(length, a + k)) for a in starts]


def _grid(x, size, stride, padding):
    size = _both(size)
    stride = size if stride is None else _both(stride)
    sides = _both(padding)
    rows = _spans(x.shape[1], size[0], stride[0], sides[0])
    return rows, _spans(x.shape[2], size[1], stride[1], sides[1])


def avgpool2d_forward(x, *, size=2, stride=None, padding=0):
    rows, columns = _grid(x, size, stride, padding)
    table = np.pad(x, ((0, 0), (1, 0), (1, 0), (0, 0))).cumsum(1).cumsum(2)
    y = np.empty((len(x), len(rows), len(columns), x.shape[3]))
    for i, (t, b) in enumerate(rows):
        for j, (l, r) in enumerate(columns):
            total = table[:, b, r] - table[:, t, r] - table[:, b, l] + table[:, t, l]
            y[:, i, j] = total / ((b - t) * (r - l))
    return y, (x.shape, rows, columns)


def avgpool2d_backward(dy, cache):
    shape, rows, columns = cache
    corners = np.zeros((shape[0], shape[1] + 1, shape[2] + 1, shape[3]))
    for i, (t, b) in enumerate(rows):
        for j, (l, r) in enumerate(columns):
            part = dy[:, i, j] / ((b - t) * (r - l))
            corners[:, t, l] += part
            corners[:, b, l] -= part
            corners[:, t, r] -= part
            corners[:, b, r] += part
    return corners.cumsum(1).cumsum(2)[:, :-1, :-1]


def maxpool2d_forward(x, *, size=2, stride=None, padding=0):
    rows, columns = _grid(x, size, stride, padding)
    y = np.empty((len(x), len(rows), len(columns), x.shape[3]))
    places = np.empty(y.shape, int)
    for i, (t, b) in enumerate(rows):
        for j, (l, r) in enumerate(columns):
            flat = x[:, t:b, l:r].reshape(len(x), -1, x.shape[3])
            order = np.argsort(-flat, axis=1, kind="stable")[:, 0]
            y[:, i, j] = np.take_along_axis(flat, order[:, None], 1)[:, 0]
            places[:, i, j] = (t + order // (r - l)) * x.shape[2] + l + order % (r - l)
    return y, (x.shape, places)


def maxpool2d_backward(dy, cache):
    shape, places = cache
    dx = np.zeros((shape[0], shape[1] * shape[2], shape[3]))
    for n, i, j, c in np.ndindex(*dy.shape):
        dx[n, places[n, i, j, c], c] += dy[n, i, j, c]
    return dx.reshape(shape)
