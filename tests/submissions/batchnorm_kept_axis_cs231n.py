"""CS231n dialect: batch norm with keepdims everywhere, and dx by the matrix of derivatives."""

import numpy as np


def batchnorm_forward(x, gamma, beta, bn_param):
    eps, momentum = bn_param.get("eps", 1e-5), bn_param.get("momentum", 0.9)
    old_mean = bn_param.get("running_mean", np.zeros((1, x.shape[1])))
    old_var = bn_param.get("running_var", np.zeros((1, x.shape[1])))
    if bn_param["mode"] == "train":
        mean = x.mean(axis=0, keepdims=True)
        var = ((x - mean) * (x - mean)).mean(axis=0, keepdims=True)
        bn_param["running_mean"] = momentum * old_mean + (1 - momentum) * mean
        bn_param["running_var"] = momentum * old_var + (1 - momentum) * var
    elif bn_param["mode"] == "test":
        mean, var = old_mean, old_var
    else:
        raise ValueError("mode is train or test")
    inv = 1.0 / np.sqrt(var + eps)
    z = (x - mean) * inv
    return z * gamma + beta, (z, inv, gamma)


def batchnorm_backward(dout, cache):
    z, inv, gamma = cache
    dz = dout * gamma
    centred = dz - dz.mean(axis=0, keepdims=True)
    dx = inv * (centred - z * (dz * z).mean(axis=0, keepdims=True))
    return dx, np.diag(z.T @ dout), np.ones(len(dout)) @ dout


def batchnorm_backward_alt(dout, cache):
    z, inv, gamma = cache
    N, D = dout.shape
    dx = np.empty((N, D))
    for d in range(D):
        # (N, N): how every output of this feature moves with every input of it
        jacobian = np.eye(N) - 1.0 / N - np.outer(z[:, d], z[:, d]) / N
        dx[:, d] = gamma[d] * inv[0, d] * jacobian.dot(dout[:, d])
    return dx, np.einsum("nd,nd->d", z, dout), np.einsum("nd->d", dout)
