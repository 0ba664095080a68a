"""CS231n dialect: layer norm that turns x over and runs the code of batch norm on it."""

import numpy as np


def layernorm_forward(x, gamma, beta, ln_param):
    eps = ln_param.get("eps", 1e-5)
    xt = x.T  # (D, N): what belongs together stands in a column
    mean = np.mean(xt, axis=0)
    var = np.var(xt, axis=0)
    hat = (xt - mean) / np.sqrt(var + eps)
    out = gamma * hat.T + beta
    return out, (xt, hat, gamma, mean, var, eps)


def layernorm_backward(dout, cache):
    xt, hat, gamma, mean, var, eps = cache
    D = xt.shape[0]
    dbeta = dout.sum(axis=0)
    dgamma = (dout * hat.T).sum(axis=0)
    dhat = (dout * gamma).T
    dvar = np.sum(dhat * (xt - mean) * -0.5 * (var + eps) ** -1.5, axis=0)
    dmean = np.sum(dhat * -1 / np.sqrt(var + eps), axis=0) + dvar * np.mean(-2 * (xt - mean), axis=0)
    dxt = dhat / np.sqrt(var + eps) + dvar * 2 * (xt - mean) / D + dmean / D
    return dxt.T, dgamma, dbeta
