"""Batch normalisation: one trip to memory for the statistics, one for the result.

x is seen as (R, C) rows of channels. Sums are taken in float64, block by block; the blocks' means
and squared deviations are merged as in Chan, Golub and LeVeque 1983, *Algorithms for computing the
sample variance*, equation 2.1, which cancels nothing even where the mean is large.
"""

from typing import Any

import numpy as np
from numba import njit, prange

from minicnn.ops import arguments
from minicnn.ops.caches import BatchNormCache
from minicnn.ops.cpu import memory
from minicnn.ops.cpu.blocks import BLOCKS, PARALLEL, SERIAL, block_of, block_sizes


def batchnorm_forward(
    x: Any, gamma: Any, beta: Any, running_mean: np.ndarray, running_var: np.ndarray, *,
    training: bool, momentum: float = 0.9, eps: float = 1e-5, unbiased_running_var: bool = False,
) -> tuple[np.ndarray, BatchNormCache]:
    """``y = gamma · x̂ + beta``. Arguments and errors as `minicnn.ops.batchnorm_forward`.

    x (N, ..., C), gamma, beta and the running statistics (C,) -> y (N, ..., C).
    """
    x, gamma, beta = arguments.batchnorm(
        x, gamma, beta, running_mean, running_var, training, momentum, eps, unbiased_running_var
    )
    rows = x.reshape(-1, x.shape[-1])  # (R, C)
    if training:
        mean, var = _mean_and_variance(rows)
        shown = var * len(rows) / (len(rows) - 1) if unbiased_running_var else var
        running_mean[...] = momentum * running_mean + (1 - momentum) * mean
        running_var[...] = momentum * running_var + (1 - momentum) * shown
    else:
        mean = running_mean.astype(np.float64)
        var = running_var.astype(np.float64)
    inverse_std = 1 / np.sqrt(var + eps)
    y = memory.empty(x.shape, x.dtype)
    # y = (x - μ) · gamma·r + beta
    _apply(rows, mean, gamma * inverse_std, beta.astype(np.float64), y.reshape(rows.shape))
    return y, BatchNormCache(x, gamma, mean, inverse_std, bool(training))


def batchnorm_backward(
    dy: Any, cache: BatchNormCache
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """``dx = gamma · r · (dy - mean(dy) - x̂ · mean(dy · x̂))`` in training, term 1 otherwise.

    dy (N, ..., C) -> dx (N, ..., C), dgamma (C,), dbeta (C,); as `minicnn.ops.batchnorm_backward`.
    """
    cache = arguments.cache_of("batchnorm_backward", cache, BatchNormCache)
    x, r = cache.x, cache.inverse_std
    dy = arguments.upstream("batchnorm_backward", dy, x.shape, x.dtype)
    rows, drows = x.reshape(-1, x.shape[-1]), dy.reshape(-1, x.shape[-1])  # (R, C)
    sums = np.empty((BLOCKS, 2, rows.shape[1]))
    _gradient_sums(rows, drows, cache.mean, sums)
    dbeta, dgamma = sums.sum(0)
    dgamma *= r
    dx = memory.empty(x.shape, x.dtype)
    scale = cache.gamma * r
    if cache.training:
        # dx = gamma·r · (dy - (x - μ) · r·dgamma/R - dbeta/R)
        slope, offset = r * dgamma / len(rows), dbeta / len(rows)
    else:
        slope, offset = np.zeros_like(r), np.zeros_like(r)
    _apply_gradient(rows, drows, cache.mean, scale, slope, offset, dx.reshape(rows.shape))
    return dx, dgamma.astype(x.dtype), dbeta.astype(x.dtype)


def _mean_and_variance(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and biased variance of each column of (R, C), float64 (C,)."""
    moments = np.empty((BLOCKS, 2, rows.shape[1]))
    _moments(rows, moments)
    count = block_sizes(len(rows))[:, None]  # (BLOCKS, 1)
    means, deviations = moments[:, 0], moments[:, 1]  # (BLOCKS, C)
    mean = (count * means).sum(0) / len(rows)
    squares = deviations + count * np.square(means - mean)
    return mean, squares.sum(0) / len(rows)


@njit(**SERIAL)
def _moments_block(rows, mean, deviation, start, stop):
    """Mean, and sum of squared deviations from it, of each column of rows start to stop."""
    channels = rows.shape[1]
    for c in range(channels):
        mean[c] = 0
        deviation[c] = 0
    for r in range(start, stop):
        for c in range(channels):
            mean[c] += rows[r, c]
    for c in range(channels):
        mean[c] /= max(stop - start, 1)
    for r in range(start, stop):
        for c in range(channels):
            deviation[c] += (rows[r, c] - mean[c]) ** 2


@njit(**PARALLEL)
def _moments(rows, moments):
    for block in prange(BLOCKS):
        _moments_block(
            rows, moments[block, 0], moments[block, 1], *block_of(block, rows.shape[0])
        )


@njit(**SERIAL)
def _apply_block(rows, mean, scale, shift, result, start, stop):
    for r in range(start, stop):
        for c in range(rows.shape[1]):
            result[r, c] = (rows[r, c] - mean[c]) * scale[c] + shift[c]


@njit(**PARALLEL)
def _apply(rows, mean, scale, shift, result):
    for block in prange(BLOCKS):
        _apply_block(rows, mean, scale, shift, result, *block_of(block, rows.shape[0]))


@njit(**SERIAL)
def _gradient_sums_block(rows, drows, mean, dbeta, dcentred, start, stop):
    """Sums of dy and of dy · (x - μ) over rows start to stop."""
    channels = rows.shape[1]
    for c in range(channels):
        dbeta[c] = 0
        dcentred[c] = 0
    for r in range(start, stop):
        for c in range(channels):
            dbeta[c] += drows[r, c]
            dcentred[c] += drows[r, c] * (rows[r, c] - mean[c])


@njit(**PARALLEL)
def _gradient_sums(rows, drows, mean, sums):
    for block in prange(BLOCKS):
        _gradient_sums_block(
            rows, drows, mean, sums[block, 0], sums[block, 1], *block_of(block, rows.shape[0])
        )


@njit(**SERIAL)
def _apply_gradient_block(rows, drows, mean, scale, slope, offset, result, start, stop):
    for r in range(start, stop):
        for c in range(rows.shape[1]):
            centred = rows[r, c] - mean[c]
            result[r, c] = scale[c] * (drows[r, c] - centred * slope[c] - offset[c])


@njit(**PARALLEL)
def _apply_gradient(rows, drows, mean, scale, slope, offset, result):
    for block in prange(BLOCKS):
        _apply_gradient_block(
            rows, drows, mean, scale, slope, offset, result, *block_of(block, rows.shape[0])
        )
