"""Batch normalisation (Ioffe and Szegedy 2015, arXiv:1502.03167)."""

import numpy as np

from minicnn.ops.batchnorm import BatchNormCache


def batchnorm_forward(
    x, gamma, beta, running_mean, running_var, *, training, momentum, eps, unbiased_running_var
):
    """y = γ · x̂ + β with x̂ = (x - μ) · r and r = 1 / sqrt(σ² + eps), channel by channel.

    x, y (N, ..., C); γ, β, μ, σ² (C,). In training μ and σ² are the batch's, else the running ones.
    """
    axes = tuple(range(x.ndim - 1))  # all but the channels
    if training:
        m = x.size // x.shape[-1]  # values per channel
        mean = x.mean(axes, dtype=np.float64)  # μ (C,)
        var = np.square(x - mean).mean(axes, dtype=np.float64)  # σ² (C,), divisor m
        batch_var = var * m / (m - 1) if unbiased_running_var else var
        # running = momentum · running + (1 - momentum) · batch
        running_mean[...] = momentum * running_mean + (1 - momentum) * mean
        running_var[...] = momentum * running_var + (1 - momentum) * batch_var
    else:
        mean = running_mean.astype(np.float64)  # μ (C,)
        var = running_var.astype(np.float64)  # σ² (C,)
    r = 1 / np.sqrt(var + eps)  # (C,)
    normalized = (x - mean) * r  # x̂ (N, ..., C)
    y = (gamma * normalized + beta).astype(x.dtype)  # (N, ..., C)
    return y, BatchNormCache(x, gamma, mean, r, training)


def batchnorm_backward(dy, cache):
    """dx = γ · r · (dy - mean(dy) - x̂ · mean(dy · x̂)), dγ = Σ dy · x̂, dβ = Σ dy.

    dy (N, ..., C) -> dx (N, ..., C), dγ (C,), dβ (C,); sums and means run over all axes but C.
    Term 1 is the direct path, term 2 the path through μ, term 3 the path through σ². In evaluation
    mode μ and σ² are constants: only term 1 is there.
    """
    x, r = cache.x, cache.inverse_std
    axes = tuple(range(x.ndim - 1))
    m = x.size // x.shape[-1]  # values per channel
    normalized = (x - cache.mean) * r  # x̂ (N, ..., C)
    dgamma = (dy * normalized).sum(axes, dtype=np.float64)  # (C,)
    dbeta = dy.sum(axes, dtype=np.float64)  # (C,)
    dx = dy.astype(np.float64)  # term 1 (N, ..., C)
    if cache.training:
        dx -= dbeta / m  # term 2
        dx -= normalized * (dgamma / m)  # term 3
    dx *= cache.gamma * r
    return dx.astype(x.dtype), dgamma.astype(x.dtype), dbeta.astype(x.dtype)
