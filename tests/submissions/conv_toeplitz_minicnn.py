"""minicnn dialect: convolution as one big (Toeplitz-like) matrix that multiplies flat images."""
import numpy as np


def _both(v):
    return (v, v) if np.isscalar(v) else tuple(v)


def _sides(padding, image, kernel, stride):
    if padding == "same":
        extra = [max((-(-n // s) - 1) * s + k - n, 0) for n, k, s in zip(image, kernel, stride)]
        return [(e // 2, e - e // 2) for e in extra]
    padding = 0 if padding == "valid" else padding
    return [_both(side) for side in _both(padding)]


def _big_matrix(w, height, width, stride):
    """M[row, column, c, p, q, k]: how much input (row, column, c) counts in output (p, q, k)."""
    kh, kw, c, k = w.shape
    oh, ow = (height - kh) // stride[0] + 1, (width - kw) // stride[1] + 1
    M = np.zeros((height, width, c, oh, ow, k), w.dtype)
    for p, q in np.ndindex(oh, ow):
        r, s = p * stride[0], q * stride[1]
        M[r:r + kh, s:s + kw, :, p, q, :] = w
    return M


def conv2d_forward(x, w, b=None, *, stride=1, padding=0):
    stride = _both(stride)
    N, H, W, C = x.shape
    (top, bottom), (left, right) = _sides(padding, (H, W), w.shape[:2], stride)
    xp = np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)))
    M = _big_matrix(w, H + top + bottom, W + left + right, stride)
    flat_x = xp.reshape(N, -1)
    y = (flat_x @ M.reshape(flat_x.shape[1], -1)).reshape((N,) + M.shape[3:])
    y = y if b is None else y + b
    return y, (flat_x, M, w.shape, b is not None, stride, (top, left, H, W))


def conv2d_backward(dy, cache):
    flat_x, M, w_shape, bias, stride, (top, left, H, W) = cache
    N = len(dy)
    flat_dy = dy.reshape(N, -1)
    # y = x M, so dx = dy M' and dM = x' dy
    dxp = (flat_dy @ M.reshape(flat_x.shape[1], -1).T).reshape((N,) + M.shape[:3])
    dM = (flat_x.T @ flat_dy).reshape(M.shape)
    # each weight stands in the matrix once for every output place: collect its gradient
    kh, kw = w_shape[:2]
    dw = np.zeros(w_shape, dy.dtype)
    for p in range(M.shape[3]):
        for q in range(M.shape[4]):
            i, j = p * stride[0], q * stride[1]
            dw += dM[i:i + kh, j:j + kw, :, p, q, :]
    db = dy.sum(axis=2).sum(axis=1).sum(axis=0) if bias else None
    dx = dxp[:, top:top + H, left:left + W, :]
    return dx, dw, db
