"""CS231n dialect: group norm with a loop over the groups, gamma and beta (C,) from the older text."""

import numpy as np


def spatial_groupnorm_forward(x, gamma, beta, G, gn_param):
    eps = gn_param.get("eps", 1e-5)
    channels = x.shape[1] // G
    out, groups = np.empty_like(x), []
    for g in range(G):
        mine = slice(g * channels, (g + 1) * channels)
        block = x[:, mine]
        centred = block - block.mean(axis=(1, 2, 3))[:, None, None, None]
        std = np.sqrt((centred**2).mean(axis=(1, 2, 3)) + eps)[:, None, None, None]
        normed = centred / std
        out[:, mine] = gamma[mine][None, :, None, None] * normed + beta[mine][None, :, None, None]
        groups.append((mine, normed, std))
    return out, (groups, gamma)


def spatial_groupnorm_backward(dout, cache):
    groups, gamma = cache
    dx = np.zeros_like(dout)
    dgamma = np.zeros(dout.shape[1])
    dbeta = np.zeros(dout.shape[1])
    for mine, normed, std in groups:
        block = dout[:, mine]
        dgamma[mine] = (block * normed).sum(axis=(0, 2, 3))
        dbeta[mine] = block.sum(axis=(0, 2, 3))
        dn = block * gamma[mine][:, None, None]
        for n in range(len(dout)):
            inner = dn[n] - dn[n].mean() - normed[n] * (dn[n] * normed[n]).mean()
            dx[n, mine] = inner / std[n]
    return dx, dgamma, dbeta
