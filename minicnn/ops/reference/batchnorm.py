"""Batch normalisation (Ioffe and Szegedy 2015, arXiv:1502.03167) as the equations read."""

from typing import Any

import numpy as np

from minicnn.ops import arguments
from minicnn.ops.caches import BatchNormCache


def batchnorm_forward(
    x: Any, gamma: Any, beta: Any, running_mean: np.ndarray, running_var: np.ndarray, *,
    training: bool, momentum: float = 0.9, eps: float = 1e-5, unbiased_running_var: bool = False,
) -> tuple[np.ndarray, BatchNormCache]:
    """Normalise every channel over all other axes, then scale and shift it.

    ``x̂ = (x - μ) / sqrt(σ² + eps)``, ``y = gamma · x̂ + beta`` (algorithm 1 of the paper). In
    training μ and σ² are the batch's mean and biased variance, and the running ones move towards
    them: ``running = momentum · running + (1 - momentum) · batch``. Otherwise μ and σ² are the
    running ones (algorithm 2).

    Parameters
    ----------
    x : array_like (N, ..., C)
        Images or features, channels last.
    gamma, beta : array_like (C,)
        Scale and shift.
    running_mean, running_var : ndarray (C,), any float dtype
        Updated in place in training mode.
    training : bool
        Which statistics normalise.
    momentum : float in [0, 1], default 0.9
        Weight of the old running value.
    eps : float > 0, default 1e-5
        Keeps the root away from 0.
    unbiased_running_var : bool, default False
        Let ``running_var`` follow the variance with divisor m - 1, PyTorch's convention; m is the
        number of values a channel.

    Returns
    -------
    y : ndarray (N, ..., C)
        float64 if x, gamma or beta is a wider float than float32, else float32; the running arrays
        have no say.
    cache : BatchNormCache
        For `batchnorm_backward`.

    Raises
    ------
    TypeError
        Where an input does not hold real numbers, a running array is no float ndarray, or momentum
        or eps is no number.
    ValueError
        Where an input is empty, shapes do not agree, momentum or eps is out of range, or, in
        training, a running array is read-only or an unbiased variance lacks a second value.
    """
    x, gamma, beta = arguments.batchnorm(
        x, gamma, beta, running_mean, running_var, training, momentum, eps, unbiased_running_var
    )
    axes = tuple(range(x.ndim - 1))
    if training:
        count = x.size // x.shape[-1]
        mean = x.mean(axes, dtype=np.float64)  # μ (C,)
        var = np.square(x - mean).mean(axes, dtype=np.float64)  # σ² (C,)
        shown = var * count / (count - 1) if unbiased_running_var else var
        running_mean[...] = momentum * running_mean + (1 - momentum) * mean
        running_var[...] = momentum * running_var + (1 - momentum) * shown
    else:
        mean = running_mean.astype(np.float64)
        var = running_var.astype(np.float64)
    inverse_std = 1 / np.sqrt(var + eps)
    normalized = (x - mean) * inverse_std  # x̂ (N, ..., C)
    y = (gamma * normalized + beta).astype(x.dtype)
    return y, BatchNormCache(x, gamma, mean, inverse_std, bool(training))


def batchnorm_backward(
    dy: Any, cache: BatchNormCache
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients of batch normalisation, of either mode.

    With r = 1 / sqrt(σ² + eps) and means over the batch (the paper's section 3, simplified)::

        dx = gamma · r · (dy - mean(dy) - x̂ · mean(dy · x̂))

    Term 1 is the direct path, term 2 the path through μ, term 3 the path through σ². In evaluation
    mode μ and σ² are constants and only term 1 is there.

    Parameters
    ----------
    dy : array_like (N, ..., C)
        Gradient of the loss with respect to y.
    cache : BatchNormCache
        From `batchnorm_forward`.

    Returns
    -------
    dx : ndarray (N, ..., C), y's dtype
    dgamma, dbeta : ndarray (C,), y's dtype

    Raises
    ------
    TypeError
        Where dy does not hold real numbers, or the cache is another operation's.
    ValueError
        Where dy has not y's shape.
    """
    cache = arguments.cache_of("batchnorm_backward", cache, BatchNormCache)
    x, dtype = cache.x, cache.x.dtype
    dy = arguments.upstream("batchnorm_backward", dy, x.shape, dtype)
    axes = tuple(range(x.ndim - 1))
    normalized = (x - cache.mean) * cache.inverse_std  # x̂ (N, ..., C)
    dgamma = (dy * normalized).sum(axes, dtype=np.float64)  # (C,)
    dbeta = dy.sum(axes, dtype=np.float64)  # (C,)
    dx = dy.astype(np.float64)  # term 1
    if cache.training:
        count = x.size // x.shape[-1]
        dx -= dbeta / count  # term 2
        dx -= normalized * (dgamma / count)  # term 3
    dx *= cache.gamma * cache.inverse_std
    return dx.astype(dtype), dgamma.astype(dtype), dbeta.astype(dtype)
