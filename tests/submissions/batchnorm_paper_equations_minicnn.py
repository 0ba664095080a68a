"""minicnn dialect: batch norm with the six derivatives of the paper, named as there."""

import numpy as np


def batchnorm_forward(x, gamma, beta, running_mean, running_var, *, training,
                      momentum=0.9, eps=1e-5, unbiased_running_var=False):
    x = np.asarray(x)
    axes = tuple(range(x.ndim - 1))
    if training:
        m = np.prod(x.shape[:-1])
        mu_B = np.mean(x, axis=axes)
        sigma2_B = np.mean((x - mu_B) ** 2, axis=axes)
        sigma2_run = sigma2_B
        if unbiased_running_var:
            sigma2_run = sigma2_B * m / (m - 1)
        running_mean[:] = running_mean * momentum + mu_B * (1 - momentum)
        running_var[:] = running_var * momentum + sigma2_run * (1 - momentum)
    else:
        mu_B = np.array(running_mean)
        sigma2_B = np.array(running_var)
    x_hat = (x - mu_B) / np.sqrt(sigma2_B + eps)
    y = np.multiply(gamma, x_hat) + beta
    cache = dict(x=x, x_hat=x_hat, mu=mu_B, var=sigma2_B, eps=eps, gamma=gamma, training=training)
    return y, cache


def batchnorm_backward(dy, cache):
    x, x_hat, gamma = cache["x"], cache["x_hat"], cache["gamma"]
    mu, v = cache["mu"], cache["var"] + cache["eps"]
    dy = np.asarray(dy)
    axes = tuple(range(x.ndim - 1))

    dl_dgamma = np.sum(dy * x_hat, axis=axes)
    dl_dbeta = np.sum(dy, axis=axes)
    dl_dxhat = dy * gamma
    if not cache["training"]:
        return dl_dxhat / np.sqrt(v), dl_dgamma, dl_dbeta

    m = x.size // x.shape[-1]
    dl_dvar = np.sum(dl_dxhat * (x - mu), axis=axes) * -0.5 * v ** -1.5
    dl_dmu = np.sum(dl_dxhat, axis=axes) * -1 / np.sqrt(v)
    dl_dmu = dl_dmu + dl_dvar * np.sum(-2 * (x - mu), axis=axes) / m
    dl_dx = dl_dxhat / np.sqrt(v)
    dl_dx = dl_dx + dl_dvar * 2 * (x - mu) / m
    dl_dx = dl_dx + dl_dmu / m
    return dl_dx, dl_dgamma, dl_dbeta
