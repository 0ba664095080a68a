"""Layer normalisation (Ba, Kiros and Hinton 2016, arXiv:1607.06450)."""

import numpy as np

from minicnn.ops.layernorm import LayerNormCache


def layernorm_forward(x, gamma, beta, *, eps):
    """y = γ · x̂ + β with x̂ = (x - μ) · r and r = 1 / sqrt(σ² + eps), sample by sample.

    x, y (N, ..., C); γ, β (C,); μ, σ² (N,).
    """
    axes = tuple(range(1, x.ndim))  # all but the samples
    mean = x.mean(axes, dtype=np.float64, keepdims=True)  # μ (N, 1, ..., 1)
    var = np.square(x - mean).mean(axes, keepdims=True)  # σ² (N, 1, ..., 1)
    r = 1 / np.sqrt(var + eps)  # (N, 1, ..., 1)
    normalized = (x - mean) * r  # x̂ (N, ..., C)
    y = (gamma * normalized + beta).astype(x.dtype)  # (N, ..., C)
    return y, LayerNormCache(x, gamma, mean.reshape(-1), r.reshape(-1))


def layernorm_backward(dy, cache):
    """dx = r · (g - mean(g) - x̂ · mean(g · x̂)) with g = γ · dy, dγ = Σ dy · x̂, dβ = Σ dy.

    dy (N, ..., C) -> dx (N, ..., C), dγ (C,), dβ (C,); means run over a sample, sums over all axes
    but C. Term 1 is the direct path, term 2 the path through μ, term 3 the path through σ².
    """
    x = cache.x
    per_sample = (len(x), *[1] * (x.ndim - 1))  # (N, 1, ..., 1)
    mean, r = cache.mean.reshape(per_sample), cache.inverse_std.reshape(per_sample)
    normalized = (x - mean) * r  # x̂ (N, ..., C)
    but_channels, but_samples = tuple(range(x.ndim - 1)), tuple(range(1, x.ndim))
    dgamma = (dy * normalized).sum(but_channels)  # (C,)
    dbeta = dy.sum(but_channels, dtype=np.float64)  # (C,)
    g = dy * cache.gamma.astype(np.float64)  # ∂L/∂x̂ (N, ..., C)
    dx = (
        g  # term 1
        - g.mean(but_samples, keepdims=True)  # term 2
        - normalized * (g * normalized).mean(but_samples, keepdims=True)  # term 3
    ) * r
    return dx.astype(x.dtype), dgamma.astype(x.dtype), dbeta.astype(x.dtype)
