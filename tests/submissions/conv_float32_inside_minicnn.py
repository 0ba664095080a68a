"""minicnn dialect: convolution that does all its arithmetic in float32, im2col with GEMM."""
import numpy as np

F32 = np.float32


def _duo(a):
    return tuple(a) if np.ndim(a) else (int(a), int(a))


def _margins(padding, n, k, s):
    """Padding before and after along both axes."""
    if padding == "valid":
        return [(0, 0), (0, 0)]
    if padding == "same":
        result = []
        for axis in range(2):
            outputs = int(np.ceil(n[axis] / s[axis]))
            both = max((outputs - 1) * s[axis] + k[axis] - n[axis], 0)
            result.append((both // 2, (both + 1) // 2))
        return result
    if np.ndim(padding) == 2:
        return [tuple(side) for side in padding]
    return [(p, p) for p in _duo(padding)]


def conv2d_forward(x, w, b=None, *, stride=1, padding=0):
    x32 = np.asarray(x, F32)
    w32 = np.asarray(w, F32)
    kh, kw, c, k = w32.shape
    s = _duo(stride)
    m = _margins(padding, x32.shape[1:3], (kh, kw), s)
    xp = np.pad(x32, [(0, 0), m[0], m[1], (0, 0)])
    oh, ow = (xp.shape[1] - kh) // s[0] + 1, (xp.shape[2] - kw) // s[1] + 1
    col = np.empty((len(x32), oh, ow, kh, kw, c), F32)
    for i in range(kh):
        for j in range(kw):
            col[:, :, :, i, j] = xp[:, i::s[0], j::s[1]][:, :oh, :ow]
    col = col.reshape(-1, kh * kw * c)
    y = col @ w32.reshape(-1, k)
    if b is not None:
        y += np.asarray(b, F32)
    info = (x32.shape, xp.shape, s, m, b is not None)
    return y.reshape(len(x32), oh, ow, k), (col, w32, info)


def conv2d_backward(dy, cache):
    col, w32, (x_shape, xp_shape, s, m, with_bias) = cache
    kh, kw, c, k = w32.shape
    N, oh, ow = dy.shape[:3]
    g = np.ascontiguousarray(dy, dtype=F32).reshape(-1, k)
    dw = (col.T @ g).reshape(w32.shape)
    db = g.sum(axis=0) if with_bias else None
    dcol = (g @ w32.reshape(-1, k).T).reshape(N, oh, ow, kh, kw, c)
    dxp = np.zeros(xp_shape, F32)
    for i in range(kh):
        for j in range(kw):
            dxp[:, i::s[0], j::s[1]][:, :oh, :ow] += dcol[:, :, :, i, j]
    a, l = m[0][0], m[1][0]
    return dxp[:, a:a + x_shape[1], l:l + x_shape[2]], dw, db
