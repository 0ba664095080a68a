"""CS231n dialect: spatial batch norm whose statistics keep all four axes, the running ones too."""

import numpy as np


def spatial_batchnorm_forward(x, gamma, beta, bn_param):
    mode = bn_param["mode"]
    eps = bn_param.get("eps", 1e-5)
    momentum = bn_param.get("momentum", 0.9)
    shape = (1, x.shape[1], 1, 1)
    running_mean = bn_param.get("running_mean", np.zeros(shape, dtype=x.dtype))
    running_var = bn_param.get("running_var", np.zeros(shape, dtype=x.dtype))
    scale, shift = gamma.reshape(shape), beta.reshape(shape)

    cache = None
    if mode == "train":
        batch_mean = np.mean(x, axis=(0, 2, 3), keepdims=True)
        batch_var = np.var(x, axis=(0, 2, 3), keepdims=True)
        root = np.sqrt(batch_var + eps)
        normed = (x - batch_mean) / root
        out = scale * normed + shift
        running_mean = momentum * running_mean + (1 - momentum) * batch_mean
        running_var = momentum * running_var + (1 - momentum) * batch_var
        cache = (normed, root, scale)
    else:
        normed = (x - running_mean) / np.sqrt(running_var + eps)
        out = scale * normed + shift

    bn_param["running_mean"] = running_mean
    bn_param["running_var"] = running_var
    return out, cache


def spatial_batchnorm_backward(dout, cache):
    normed, root, scale = cache
    n, c, h, w = dout.shape
    per_channel = n * h * w
    dbeta = dout.sum(axis=(0, 2, 3))
    dgamma = (dout * normed).sum(axis=(0, 2, 3))
    back = per_channel * dout
    back = back - dbeta.reshape(1, c, 1, 1)
    back = back - normed * dgamma.reshape(1, c, 1, 1)
    return back * scale / (per_channel * root), dgamma, dbeta
