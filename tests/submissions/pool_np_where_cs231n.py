"""CS231n dialect: max pooling that looks its winner up with np.where, and takes the first."""
import numpy as np


def max_pool_forward_naive(x, pool_param):
    stride = pool_param['stride']
    H_p, W_p = pool_param['pool_height'], pool_param['pool_width']
    N, C, H, W = x.shape
    if (H - H_p) % stride or (W - W_p) % stride:
        raise Exception('windows do not fit')
    out = np.zeros((N, C, int((H - H_p) / stride) + 1, int((W - W_p) / stride) + 1))
    for n in range(N):
        for c in range(C):
            for i, top in enumerate(range(0, H - H_p + 1, stride)):
                for j, left in enumerate(range(0, W - W_p + 1, stride)):
                    out[n, c, i, j] = max(x[n, c, top:top + H_p, left:left + W_p].flatten())
    cache = (x, pool_param)
    return out, cache


def max_pool_backward_naive(dout, cache):
    x, pool_param = cache
    stride = pool_param['stride']
    H_p, W_p = pool_param['pool_height'], pool_param['pool_width']
    dx = np.zeros(x.shape)
    for n in range(dout.shape[0]):
        for c in range(dout.shape[1]):
            for i in range(dout.shape[2]):
                for j in range(dout.shape[3]):
                    region = x[n, c, i * stride:i * stride + H_p, j * stride:j * stride + W_p]
                    where = np.where(region == region.max())
                    row, column = where[0][0], where[1][0]
                    dx[n, c, i * stride + row, j * stride + column] += dout[n, c, i, j]
    return dx
