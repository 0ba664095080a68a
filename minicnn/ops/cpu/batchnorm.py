"""Batch normalisation: one trip to memory for the statistics, one for the result.

x (N, ..., C) is seen as (m, C): m values per channel. To lose no digits where the mean is large,
the sums are of differences from a row or from the mean. 16 rows are added in x's dtype, which is
fast; these sums are added in float64. Each block of rows gives a mean and a sum of squared
differences from it; two blocks are merged as in Chan, Golub and LeVeque 1983, *Algorithms for
computing the sample variance*, equation 2.1. Within a block the differences are taken from its
first row (equation 1.5). The kernels see x and y as flat arrays, (m·C,).
"""

import numpy as np

from minicnn.compiling.kernels import parallel, serial
from minicnn.ops.batchnorm import BatchNormCache
from minicnn.ops.cpu.linalg import memory
from minicnn.ops.cpu.linalg.blocks import BLOCKS, block_of, pieces_of
from minicnn.ops.cpu.linalg.channels import add_moments, add_products, map_gradients, map_rows
from minicnn.ops.cpu.linalg.simd import is_large
from minicnn.ops.cpu.linalg.sums import FEW_ROWS


def batchnorm_forward(
    x, gamma, beta, running_mean, running_var, *, training, momentum, eps, unbiased_running_var
):
    """y = γ · x̂ + β with x̂ = (x - μ) · r and r = 1 / sqrt(σ² + eps), channel by channel.

    x, y (N, ..., C); γ, β, μ, σ² (C,). In training μ and σ² are the batch's, else the running ones.
    """
    rows = x.reshape(-1, x.shape[-1])  # (m, C)
    if training:
        m = len(rows)  # values per channel
        mean, var = _mean_and_variance(rows)  # μ, σ² (C,)
        batch_var = var * m / (m - 1) if unbiased_running_var else var
        running_mean[...] = momentum * running_mean + (1 - momentum) * mean
        running_var[...] = momentum * running_var + (1 - momentum) * batch_var
    else:
        mean = running_mean.astype(np.float64)
        var = running_var.astype(np.float64)
    r, near, scale, shift = _coefficients(gamma, beta, mean, var, eps)
    y = memory.empty(x.shape, x.dtype)
    _apply(BLOCKS, x.reshape(-1), near, scale, shift, y.reshape(-1), is_large(y))
    return y, BatchNormCache(x, gamma, mean, r, training)


def batchnorm_backward(dy, cache):
    """dx = γ · r · (dy - mean(dy) - x̂ · mean(dy · x̂)) in training, term 1 otherwise.

    dy (N, ..., C) -> dx (N, ..., C), dγ (C,), dβ (C,).
    """
    x = cache.x
    near = cache.mean.astype(x.dtype)
    sums = np.zeros((BLOCKS, 2, x.shape[-1]))
    _gradient_sums(BLOCKS, x.reshape(-1), dy.reshape(-1), near, sums)
    dgamma, dbeta, scale, slope, offset = _gradient_coefficients(
        sums, cache.gamma, cache.mean, near, cache.inverse_std, x.size // near.size, cache.training
    )
    dx = memory.empty(x.shape, x.dtype)
    _apply_gradient(
        BLOCKS, x.reshape(-1), dy.reshape(-1), near, scale, slope, offset,
        dx.reshape(-1), is_large(dx),
    )
    return dx, dgamma, dbeta


def _mean_and_variance(rows):
    """Mean and biased variance of each column of (m, C), float64 (C,)."""
    moments = np.zeros((BLOCKS, 2, rows.shape[1]))
    _moments(BLOCKS, rows.reshape(-1), rows.shape[1], moments)
    mean, var = _merged(moments, len(rows))
    if rows.dtype != np.float64 and not np.isfinite(var).all():
        return _mean_and_variance(rows.astype(np.float64))  # squares beyond the range of float32
    return mean, var


@serial
def _merged(moments, m):
    """Mean and variance of m rows from the means and squares of the blocks."""
    mean, squares = np.zeros((2, moments.shape[2]))
    for block in range(BLOCKS):
        before, after = pieces_of(block, m, FEW_ROWS)  # rows before this block, and with it
        if before < after:
            part = (after - before) / after
            for c in range(mean.size):
                difference = moments[block, 0, c] - mean[c]
                mean[c] += part * difference
                squares[c] += moments[block, 1, c] + before * part * difference * difference
    return mean, squares / m


@parallel
def _moments(block, x, channels, moments):
    """Mean, and sum of squared differences from it, of each channel in rows start to stop."""
    mean, squares = moments[block, 0], moments[block, 1]
    start, stop = pieces_of(block, x.size // channels, FEW_ROWS)
    if start < stop:
        first_row = x[start * channels : (start + 1) * channels]  # differences are taken from it
        add_moments(x, start, stop, first_row, mean, squares)
        for c in range(channels):
            distance = mean[c] / (stop - start)  # of the mean from the first row
            mean[c] = first_row[c] + distance
            about_mean = squares[c] - (stop - start) * distance * distance
            squares[c] = 0 if about_mean < 0 else about_mean  # NaN stays


@serial
def _coefficients(gamma, beta, mean, var, eps):
    """r (float64), near, scale and shift of each channel, for ``y = (x - near) · scale + shift``.

    `near` is the number of x's dtype next to μ, so that ``x - near`` is exact where x is close to
    it; the rest of μ goes into the shift.
    """
    # y = γ·r · (x - μ) + β
    #   = γ·r · (x - near)  +  β - γ·r · (μ - near)
    #     scale                shift
    r = np.empty(mean.size)
    near, scale, shift = np.empty((3, mean.size), gamma.dtype)
    for c in range(mean.size):
        r[c] = 1 / np.sqrt(var[c] + eps)
        near[c] = mean[c]
        scale[c] = gamma[c] * r[c]
        shift[c] = beta[c] - (mean[c] - near[c]) * (gamma[c] * r[c])
    return r, near, scale, shift


@parallel
def _apply(block, x, near, scale, shift, y, large):
    """y = (x - near) · scale + shift, for rows start to stop."""
    start, stop = block_of(block, x.size // near.size)
    map_rows(x, start, stop, near, scale, shift, y, large)


@parallel
def _gradient_sums(block, x, dy, near, sums):
    """Sums of dy, and of the product dy · (x - near), over rows start to stop."""
    start, stop = pieces_of(block, x.size // near.size, FEW_ROWS)
    add_products(x, dy, start, stop, near, sums[block, 0], sums[block, 1])


@serial
def _gradient_coefficients(sums, gamma, mean, near, r, m, training):
    """dγ, dβ, scale, slope and offset of each channel.

    ``dx = scale · dy - offset - (x - near) · slope``. scale · dy is term 1; in evaluation it is
    alone: slope and offset are 0.
    """
    # dx = γ·r · (dy - dβ/m - x̂ · dγ/m)  with  x̂ = r · (x - near) - r · (μ - near)
    #    = γ·r · dy  -  (γ·r · dβ/m - (μ - near) · γ·r·r · dγ/m)  -  (x - near) · γ·r·r · dγ/m
    #      scale        offset                                                    slope
    dy_sum, product_sum = np.zeros((2, r.size))
    for block in range(BLOCKS):
        for c in range(r.size):
            dy_sum[c] += sums[block, 0, c]
            product_sum[c] += sums[block, 1, c]
    dgamma, dbeta, scale, slope, offset = np.empty((5, r.size), gamma.dtype)
    for c in range(r.size):
        mean_error, gamma_r = mean[c] - near[c], gamma[c] * r[c]
        normalized_sum = (product_sum[c] - mean_error * dy_sum[c]) * r[c]  # Σ dy · x̂, float64
        exact_slope = gamma_r * r[c] * normalized_sum / m if training else 0.0
        dgamma[c], dbeta[c], scale[c], slope[c] = normalized_sum, dy_sum[c], gamma_r, exact_slope
        offset[c] = gamma_r * dy_sum[c] / m - mean_error * exact_slope if training else 0.0
    return dgamma, dbeta, scale, slope, offset


@parallel
def _apply_gradient(block, x, dy, near, scale, slope, offset, dx, large):
    """dx = scale · dy - offset - (x - near) · slope, for rows start to stop."""
    start, stop = block_of(block, x.size // near.size)
    map_gradients(x, dy, start, stop, near, scale, slope, offset, dx, large)
