"""CS231n dialect: batch norm one feature and one number at a time, with math.sqrt."""

import math

import numpy as np


def batchnorm_forward(x, gamma, beta, bn_param):
    N, D = x.shape
    eps = bn_param.get("eps", 1e-5)
    momentum = bn_param.get("momentum", 0.9)
    r_mean = np.array(bn_param.get("running_mean", np.zeros(D)), dtype=float)
    r_var = np.array(bn_param.get("running_var", np.zeros(D)), dtype=float)
    out = np.zeros((N, D))
    x_hat = np.zeros((N, D))
    std = np.zeros(D)
    for j in range(D):
        if bn_param["mode"] == "train":
            mean = 0.0
            for i in range(N):
                mean += x[i, j] / N
            var = 0.0
            for i in range(N):
                var += (x[i, j] - mean) ** 2 / N
            r_mean[j] = momentum * r_mean[j] + (1 - momentum) * mean
            r_var[j] = momentum * r_var[j] + (1 - momentum) * var
        else:
            mean = r_mean[j]
            var = r_var[j]
        std[j] = math.sqrt(var + eps)
        for i in range(N):
            x_hat[i, j] = (x[i, j] - mean) / std[j]
            out[i, j] = gamma[j] * x_hat[i, j] + beta[j]
    bn_param["running_mean"] = r_mean
    bn_param["running_var"] = r_var
    return out, (x_hat, std, gamma)


def batchnorm_backward(dout, cache):
    x_hat, std, gamma = cache
    N, D = dout.shape
    dx = np.zeros((N, D))
    dgamma = np.zeros(D)
    dbeta = np.zeros(D)
    for j in range(D):
        for i in range(N):
            dgamma[j] += dout[i, j] * x_hat[i, j]
            dbeta[j] += dout[i, j]
        for i in range(N):
            term = dout[i, j]
            term -= dbeta[j] / N
            term -= x_hat[i, j] * dgamma[j] / N
            dx[i, j] = gamma[j] * term / std[j]
    return dx, dgamma, dbeta
