"""CS231n dialect: spatial batch norm that moves channels last and calls the plain batch norm."""

import numpy as np


def batchnorm_forward(x, gamma, beta, bn_param):
    mode, eps = bn_param["mode"], bn_param.get("eps", 1e-5)
    decay = bn_param.get("momentum", 0.9)
    features = x.shape[1]
    running_mean = bn_param.get("running_mean", np.zeros(features))
    running_var = bn_param.get("running_var", np.zeros(features))
    if mode == "train":
        sample_mean = x.mean(0)
        sample_var = x.var(0)
        running_mean = decay * running_mean + (1 - decay) * sample_mean
        running_var = decay * running_var + (1 - decay) * sample_var
        x_mu = x - sample_mean
        inv_std = (sample_var + eps) ** -0.5
    else:
        x_mu = x - running_mean
        inv_std = (running_var + eps) ** -0.5
    x_hat = x_mu * inv_std
    bn_param["running_mean"] = running_mean
    bn_param["running_var"] = running_var
    return gamma * x_hat + beta, (x_mu, inv_std, x_hat, gamma, mode)


def batchnorm_backward(dout, cache):
    x_mu, inv_std, x_hat, gamma, mode = cache
    dgamma = np.sum(dout * x_hat, axis=0)
    dbeta = np.sum(dout, axis=0)
    dx_hat = dout * gamma
    if mode == "test":
        return dx_hat * inv_std, dgamma, dbeta
    d_inv_std = np.sum(dx_hat * x_mu, axis=0)
    d_var = -0.5 * inv_std**3 * d_inv_std
    d_x_mu = dx_hat * inv_std + 2 * x_mu * d_var / len(dout)
    dx = d_x_mu - d_x_mu.mean(axis=0)
    return dx, dgamma, dbeta


def spatial_batchnorm_forward(x, gamma, beta, bn_param):
    N, C, H, W = x.shape
    flat = x.transpose(0, 2, 3, 1).reshape(N * H * W, C)
    out, cache = batchnorm_forward(flat, gamma, beta, bn_param)
    return out.reshape(N, H, W, C).transpose(0, 3, 1, 2), cache


def spatial_batchnorm_backward(dout, cache):
    N, C, H, W = dout.shape
    flat = dout.transpose(0, 2, 3, 1).reshape(N * H * W, C)
    dx, dgamma, dbeta = batchnorm_backward(flat, cache)
    return dx.reshape(N, H, W, C).transpose(0, 3, 1, 2), dgamma, dbeta
