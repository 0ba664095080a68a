"""Group normalisation (Wu and He 2018, arXiv:1803.08494)."""

import numpy as np

from minicnn.ops.groupnorm import GroupNormCache


def groupnorm_forward(x, gamma, beta, *, groups, eps):
    """y = γ · x̂ + β with x̂ = (x - μ) · r and r = 1 / sqrt(σ² + eps), group by group.

    x, y (N, ..., C); γ, β (C,); μ, σ² (N, G). P pixels, G groups of C/G neighbouring channels.
    """
    grouped = _grouped(x, groups)  # (N, P, G, C/G)
    mean = grouped.mean((1, 3), dtype=np.float64)  # μ (N, G)
    centred = grouped - mean[:, None, :, None]  # (N, P, G, C/G)
    var = np.square(centred).mean((1, 3))  # σ² (N, G)
    r = 1 / np.sqrt(var + eps)  # (N, G)
    normalized = (centred * r[:, None, :, None]).reshape(x.shape)  # x̂ (N, ..., C)
    y = (gamma * normalized + beta).astype(x.dtype)  # (N, ..., C)
    return y, GroupNormCache(x, gamma, mean, r)


def groupnorm_backward(dy, cache):
    """dx = r · (g - mean(g) - x̂ · mean(g · x̂)) with g = γ · dy, dγ = Σ dy · x̂, dβ = Σ dy.

    dy (N, ..., C) -> dx (N, ..., C), dγ (C,), dβ (C,); means run over a group of a sample, sums
    over all axes but C. Term 1 is the direct path, term 2 the path through μ, term 3 the path
    through σ².
    """
    x, groups = cache.x, cache.mean.shape[1]
    mean, r = cache.mean[:, None, :, None], cache.inverse_std[:, None, :, None]  # (N, 1, G, 1)
    normalized = (_grouped(x, groups) - mean) * r  # x̂ (N, P, G, C/G)
    axes = tuple(range(x.ndim - 1))  # all but the channels
    dgamma = (dy * normalized.reshape(x.shape)).sum(axes)  # (C,)
    dbeta = dy.sum(axes, dtype=np.float64)  # (C,)
    g = _grouped(dy * cache.gamma.astype(np.float64), groups)  # ∂L/∂x̂ (N, P, G, C/G)
    dx = (
        g  # term 1
        - g.mean((1, 3), keepdims=True)  # term 2
        - normalized * (g * normalized).mean((1, 3), keepdims=True)  # term 3
    ) * r
    return dx.reshape(x.shape).astype(x.dtype), dgamma.astype(x.dtype), dbeta.astype(x.dtype)


def _grouped(x, groups):
    """(N, ..., C) as (N, P, G, C/G): channels of a group stand side by side."""
    count, channels = len(x), x.shape[-1]
    return x.reshape(count, -1, groups, channels // groups)
