"""CS231n dialect: layer norm sample by sample, with each sample's matrix of derivatives."""

import numpy as np


def normalise(row, eps):
    centred = row - np.average(row)
    return centred / (np.dot(centred, centred) / row.size + eps) ** 0.5


def layernorm_forward(x, gamma, beta, ln_param={}):
    out = np.array([gamma * normalise(row, ln_param.get("eps", 1e-5)) + beta for row in x])
    return out, (x, gamma, ln_param.get("eps", 1e-5))


def layernorm_backward(dout, cache):
    x, gamma, eps = cache
    dx, dgamma, dbeta = np.zeros_like(x), np.zeros_like(gamma), np.zeros_like(gamma)
    D = x.shape[1]
    for n, (row, g) in enumerate(zip(x, dout)):
        z = normalise(row, eps)
        r = 1 / np.sqrt(row.var() + eps)
        derivatives = r * (np.identity(D) - np.ones((D, D)) / D - np.outer(z, z) / D)
        dx[n] = derivatives @ (gamma * g)
        dgamma += g * z
        dbeta += g
    return dx, dgamma, dbeta
