"""CS231n dialect: sandwich layers beside the layers that they call, as in a layer_utils.py."""

import numpy as np


def affine_forward(x, w, b):
    rows = x.reshape(x.shape[0], w.shape[0])
    return rows.dot(w) + b, (x, w, b)


def affine_backward(dout, cache):
    x, w, _ = cache
    dx = dout.dot(w.T).reshape(x.shape)
    dw = x.reshape(x.shape[0], -1).T.dot(dout)
    return dx, dw, np.sum(dout, axis=0)


def relu_forward(x):
    return x * (x > 0), x > 0


def relu_backward(dout, cache):
    return np.where(cache, dout, 0)


def affine_relu_forward(x, w, b):
    a, fc_cache = affine_forward(x, w, b)
    out, relu_cache = relu_forward(a)
    return out, (fc_cache, relu_cache)


def affine_relu_backward(dout, cache):
    fc_cache, relu_cache = cache
    return affine_backward(relu_backward(dout, relu_cache), fc_cache)


def conv_relu_pool_forward(x, w, b, conv_param, pool_param):
    a, first = conv_forward_fast(x, w, b, conv_param)  # noqa: F821
    s, second = relu_forward(a)
    out, third = max_pool_forward_fast(s, pool_param)  # noqa: F821
    return out, (first, second, third)


def conv_relu_pool_backward(dout, cache):
    first, second, third = cache
    ds = max_pool_backward_fast(dout, third)  # noqa: F821
    return conv_backward_fast(relu_backward(ds, second), first)  # noqa: F821


def conv_bn_relu_forward(x, w, b, gamma, beta, conv_param, bn_param):
    a, conv_cache = conv_forward_fast(x, w, b, conv_param)  # noqa: F821
    an, bn_cache = spatial_batchnorm_forward(a, gamma, beta, bn_param)  # noqa: F821
    out, relu_cache = relu_forward(an)
    return out, (conv_cache, bn_cache, relu_cache)


def conv_bn_relu_backward(dout, cache):
    conv_cache, bn_cache, relu_cache = cache
    dan = relu_backward(dout, relu_cache)
    da, dgamma, dbeta = spatial_batchnorm_backward(dan, bn_cache)  # noqa: F821
    dx, dw, db = conv_backward_fast(da, conv_cache)  # noqa: F821
    return dx, dw, db, dgamma, dbeta
