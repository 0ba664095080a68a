"""CS231n dialect: layer norm as a graph walked back in place, statistics (N,) widened by newaxis."""

import numpy as np


def layernorm_forward(x, gamma, beta, ln_param):
    eps = ln_param.get("eps", 1e-5)
    mu = x.sum(axis=1) / x.shape[1]  # (N,)
    centred = x - mu[:, np.newaxis]
    sigma = np.sqrt((centred ** 2).sum(axis=1) / x.shape[1] + eps)  # (N,)
    normal = centred / sigma[:, np.newaxis]
    return gamma * normal + beta, {"c": centred, "s": sigma, "n": normal, "g": gamma}


def layernorm_backward(dout, cache):
    centred, sigma, normal, gamma = (cache[key] for key in "csng")
    N, D = dout.shape
    grad = dout * gamma
    dsigma = -np.sum(grad * centred, axis=1) / sigma**2
    dvar = dsigma / (2 * sigma)
    grad /= sigma[:, None]
    grad += centred * (2 * dvar / D)[:, None]
    dx = grad
    dx -= np.sum(grad, axis=1).reshape(N, 1) / D
    return dx, np.einsum("nd,nd->d", dout, normal), np.ones(N).dot(dout)
