"""Group normalisation: a sample at a time, which stays in the cache from its first sum to its y.

x (N, ..., C) is seen as (N, P, C): N samples of P pixels; samples are shared among threads. All
sums are taken channel by channel (`linalg.channels`), and then over the channels of each group. The
kernels see x and y as flat arrays, (N·P·C,). Each sample is read once from memory and written once.
"""

import numpy as np

from minicnn.compiling.kernels import parallel, worker
from minicnn.ops.cpu.linalg import memory
from minicnn.ops.cpu.linalg.blocks import BLOCKS, block_of
from minicnn.ops.cpu.linalg.channels import add_moments, add_products, map_gradients, map_rows
from minicnn.ops.cpu.linalg.simd import is_large
from minicnn.ops.groupnorm import GroupNormCache


def groupnorm_forward(x, gamma, beta, *, groups, eps):
    """y = γ · x̂ + β with x̂ = (x - μ) · r and r = 1 / sqrt(σ² + eps), group by group.

    x, y (N, ..., C); γ, β (C,); μ, σ² (N, G).
    """
    mean, r = np.empty((2, len(x), groups))
    y = memory.empty(x.shape, x.dtype)
    _normalize(BLOCKS, x.reshape(-1), gamma, beta, eps, mean, r, y.reshape(-1), is_large(y))
    return y, GroupNormCache(x, gamma, mean, r)


def groupnorm_backward(dy, cache):
    """dx = r · (g - mean(g) - x̂ · mean(g · x̂)) with g = γ · dy, dγ = Σ dy · x̂, dβ = Σ dy.

    dy (N, ..., C) -> dx (N, ..., C), dγ (C,), dβ (C,).
    """
    x = cache.x
    sums = np.zeros((BLOCKS, 2, x.shape[-1]))
    dx = memory.empty(x.shape, x.dtype)
    _gradients(
        BLOCKS, x.reshape(-1), dy.reshape(-1), cache.gamma, cache.mean, cache.inverse_std, sums,
        dx.reshape(-1), is_large(dx),
    )
    dgamma, dbeta = sums.sum(0).astype(x.dtype)
    return dx, dgamma, dbeta


@parallel
def _normalize(block, x, gamma, beta, eps, mean, r, y, large):
    """μ, r and y of the samples start to stop."""
    start, stop = block_of(block, len(mean))
    channels, groups = gamma.size, mean.shape[1]
    pixels, width = x.size // (len(mean) * channels), channels // groups
    near, scale, shift = np.empty((3, channels), x.dtype)
    sums, squares = np.empty((2, channels))
    for n in range(start, stop):
        first, last = n * pixels, (n + 1) * pixels
        for c in range(channels):
            near[c] = x[first * channels + c // width * width]  # the group's first value
        for _ in range(2):  # the second time about the mean that the first has found
            sums[:] = squares[:] = 0
            add_moments(x, first, last, near, sums, squares)
            for k in range(groups):
                mean[n, k], var = _of_group(x, first, last, near, sums, squares, k, width)
                r[n, k] = 1 / np.sqrt(var + eps)
                for c in range(k * width, (k + 1) * width):
                    near[c] = mean[n, k]
        # y = γ·r · (x - μ) + β
        #   = γ·r · (x - near)  +  β - γ·r · (μ - near)
        #     scale                shift
        for c in range(channels):
            k = c // width
            gamma_r = gamma[c] * r[n, k]
            scale[c] = gamma_r
            shift[c] = beta[c] - (mean[n, k] - near[c]) * gamma_r
        map_rows(x, first, last, near, scale, shift, y, large)


@worker
def _of_group(x, first, last, near, sums, squares, k, width):
    """Mean and variance of group k of a sample, from its channels' sums about `near`."""
    total, total_of_squares, m = 0.0, 0.0, (last - first) * width
    for c in range(k * width, (k + 1) * width):
        total += sums[c]
        total_of_squares += squares[c]
    distance = total / m  # of the mean from `near`
    var = total_of_squares / m - distance * distance
    if np.isfinite(var):
        return near[k * width] + distance, max(var, 0.0)
    return _exactly(x, first, last, near.size, k * width, (k + 1) * width)


@worker
def _exactly(x, first, last, channels, begin, end):
    """The same in float64, value by value: for squares beyond the range of float32."""
    total, total_of_squares, m = 0.0, 0.0, (last - first) * (end - begin)
    for row in range(first * channels, last * channels, channels):
        for c in range(begin, end):
            total += np.float64(x[row + c])
    mean = total / m
    for row in range(first * channels, last * channels, channels):
        for c in range(begin, end):
            difference = x[row + c] - mean
            total_of_squares += difference * difference
    return mean, total_of_squares / m


@parallel
def _gradients(block, x, dy, gamma, mean, r, sums, dx, large):
    """dx of the samples start to stop, and their part of dγ and dβ."""
    dgamma, dbeta = sums[block, 0], sums[block, 1]
    start, stop = block_of(block, len(mean))
    channels, groups = gamma.size, mean.shape[1]
    pixels, width = x.size // (len(mean) * channels), channels // groups
    near, scale, slope, offset = np.empty((4, channels), x.dtype)
    dy_sums, products = np.empty((2, channels))
    for n in range(start, stop):
        first, last = n * pixels, (n + 1) * pixels
        for c in range(channels):
            near[c] = mean[n, c // width]
        dy_sums[:] = products[:] = 0
        add_products(x, dy, first, last, near, dy_sums, products)
        for k in range(groups):
            # dx = r · (g - mean(g) - x̂ · mean(g · x̂))  with  x̂ = r · (x - near) - r · (μ - near)
            #    = γ·r · dy  -  (r · mean(g) - (μ - near) · slope)  -  (x - near) · r·r·mean(g·x̂)
            #      scale        offset                                              slope
            mean_error = mean[n, k] - near[k * width]
            g_sum, product_sum = 0.0, 0.0  # Σ g, Σ g · x̂
            for c in range(k * width, (k + 1) * width):
                normalized_sum = (products[c] - mean_error * dy_sums[c]) * r[n, k]  # Σ dy · x̂
                dgamma[c] += normalized_sum
                dbeta[c] += dy_sums[c]
                g_sum += gamma[c] * dy_sums[c]
                product_sum += gamma[c] * normalized_sum
            exact_slope = r[n, k] * r[n, k] * product_sum / (pixels * width)
            exact_offset = r[n, k] * g_sum / (pixels * width) - mean_error * exact_slope
            for c in range(k * width, (k + 1) * width):
                scale[c] = gamma[c] * r[n, k]
                slope[c], offset[c] = exact_slope, exact_offset
        map_gradients(x, dy, first, last, near, scale, slope, offset, dx, large)
