"""Layer normalisation: group normalisation of a single group, with all channels in it."""

from minicnn.ops.cuda import groupnorm
from minicnn.ops.groupnorm import GroupNormCache
from minicnn.ops.layernorm import LayerNormCache


def layernorm_forward(x, gamma, beta, *, eps):
    """y = γ · x̂ + β with x̂ = (x - μ) · r and r = 1 / sqrt(σ² + eps), sample by sample.

    x, y (N, ..., C); γ, β (C,); μ, σ² (N,).
    """
    y, cache = groupnorm.groupnorm_forward(x, gamma, beta, groups=1, eps=eps)
    return y, LayerNormCache(x, gamma, cache.mean.reshape(-1), cache.inverse_std.reshape(-1))


def layernorm_backward(dy, cache):
    """dx = r · (g - mean(g) - x̂ · mean(g · x̂)) with g = γ · dy, dγ = Σ dy · x̂, dβ = Σ dy.

    dy (N, ..., C) -> dx (N, ..., C), dγ (C,), dβ (C,).
    """
    mean, r = cache.mean.reshape(-1, 1), cache.inverse_std.reshape(-1, 1)  # (N, 1)
    return groupnorm.groupnorm_backward(dy, GroupNormCache(cache.x, cache.gamma, mean, r))
