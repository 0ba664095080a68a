"""Batch normalisation: one trip to memory for the statistics, one for the result.

x is seen as (R, C) rows of channels. Sums are taken of differences from a row or a mean, which stay
exact where the mean is large: over a few rows in x's own dtype, at full speed, over those in
float64. Blocks' means and squared deviations are merged as in Chan, Golub and LeVeque 1983,
*Algorithms for computing the sample variance*, equation 2.1; within a block its first row is their
shift (equation 1.5).
"""

import numpy as np
from numba import njit, prange

from minicnn.ops.batchnorm import BatchNormCache
from minicnn.ops.cpu.linalg import memory
from minicnn.ops.cpu.linalg.blocks import BLOCKS, PARALLEL, SERIAL, WORKER, block_of, pieces_of
from minicnn.ops.cpu.linalg.simd import (
    is_large,
    lanes_of,
    load,
    load_part,
    multiply_add,
    put,
    settle,
    store,
    store_part,
)
from minicnn.ops.cpu.linalg.sums import FEW_ROWS, STRIP, strip_of


def batchnorm_forward(
    x, gamma, beta, running_mean, running_var, *, training, momentum, eps, unbiased_running_var
):
    """y = γ · x̂ + β, channel by channel: x (N, ..., C), γ, β and the statistics (C,) -> y."""
    rows = x.reshape(-1, x.shape[-1])  # (R, C)
    if training:
        mean, var = _mean_and_variance(rows)
        new_var = var * len(rows) / (len(rows) - 1) if unbiased_running_var else var
        running_mean[...] = momentum * running_mean + (1 - momentum) * mean
        running_var[...] = momentum * running_var + (1 - momentum) * new_var
    else:
        mean = running_mean.astype(np.float64)
        var = running_var.astype(np.float64)
    r, near, scale, shift = _line(gamma, beta, mean, var, eps)
    y = memory.empty(x.shape, x.dtype)
    _apply(x.reshape(-1), near, scale, shift, y.reshape(-1), is_large(y))
    return y, BatchNormCache(x, gamma, mean, r, training)


def batchnorm_backward(dy, cache):
    """dx = γ · r · (dy - mean(dy) - x̂ · mean(dy · x̂)) in training, term 1 otherwise.

    dy (N, ..., C) -> dx (N, ..., C), dγ (C,), dβ (C,).
    """
    x = cache.x
    near = cache.mean.astype(x.dtype)
    sums = np.zeros((BLOCKS, 2, x.shape[-1]))
    _gradient_sums(x.reshape(-1), dy.reshape(-1), near, sums)
    dgamma, dbeta, scale, slope, offset = _gradient_line(
        sums, cache.gamma, cache.mean, near, cache.inverse_std, x.size // near.size, cache.training
    )
    dx = memory.empty(x.shape, x.dtype)
    _apply_gradient(
        x.reshape(-1), dy.reshape(-1), near, scale, slope, offset, dx.reshape(-1), is_large(dx)
    )
    return dx, dgamma, dbeta


def _mean_and_variance(rows):
    """Mean and biased variance of each column of (R, C), float64 (C,)."""
    moments = np.zeros((BLOCKS, 2, rows.shape[1]))
    _moments(rows.reshape(-1), rows.shape[1], moments)
    mean, var = _merged(moments, len(rows))
    if rows.dtype != np.float64 and not np.isfinite(var).all():
        return _mean_and_variance(rows.astype(np.float64))  # squares beyond the range of float32
    return mean, var


@njit(**SERIAL)
def _merged(moments, rows):
    """Mean and variance of all rows from those of the blocks."""
    mean, squares = np.zeros((2, moments.shape[2]))
    for block in range(BLOCKS):
        before, after = pieces_of(block, rows, FEW_ROWS)  # rows before this block, and with it
        if before < after:
            part = (after - before) / after
            for c in range(mean.size):
                difference = moments[block, 0, c] - mean[c]
                mean[c] += part * difference
                squares[c] += moments[block, 1, c] + before * part * difference * difference
    return mean, squares / rows


@njit(**WORKER)
def _moments_block(x, channels, mean, deviation, start, stop):
    """Mean, and sum of squared deviations from it, of each column of rows start to stop."""
    strip = strip_of(x)
    few, few_squares = np.empty((2, channels + strip), x.dtype)
    first = start * channels  # where the row begins from which differences are taken
    for begin in range(start, stop, FEW_ROWS):
        few[:] = few_squares[:] = 0
        for row in range(begin * channels, min(begin + FEW_ROWS, stop) * channels, channels):
            for c in range(0, channels, strip):
                valid = channels - c
                shift = load_part(x, first + c, valid, STRIP)
                difference = load_part(x, row + c, valid, STRIP) - shift
                store(few, c, load(few, c, STRIP) + difference)
                squares = load(few_squares, c, STRIP)
                store(few_squares, c, multiply_add(difference, difference, squares))
        for c in range(channels):
            mean[c] += few[c]
            deviation[c] += few_squares[c]
    for c in range(channels if start < stop else 0):
        shift = mean[c] / (stop - start)
        mean[c] = x[first + c] + shift
        squares = deviation[c] - (stop - start) * shift * shift
        deviation[c] = 0 if squares < 0 else squares  # NaN stays


@njit(**PARALLEL)
def _moments(x, channels, moments):
    for block in prange(BLOCKS):
        _moments_block(
            x, channels, moments[block, 0], moments[block, 1],
            *pieces_of(block, x.size // channels, FEW_ROWS),
        )


@njit(**SERIAL)
def _line(gamma, beta, mean, var, eps):
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


@njit(**WORKER)
def _apply_block(x, near, scale, shift, y, large, start, stop):
    channels, lane_count = near.size, lanes_of(x)
    rest = channels % lane_count
    for row in range(start * channels, stop * channels, channels):
        for c in range(0, channels - rest, lane_count):
            centred = load(x, row + c, 1) - load(near, c, 1)
            put(y, row + c, centred * load(scale, c, 1) + load(shift, c, 1), large)
        if rest > 0:
            c = channels - rest
            centred = load_part(x, row + c, rest, 1) - load_part(near, c, rest, 1)
            scaled = centred * load_part(scale, c, rest, 1)
            store_part(y, row + c, rest, scaled + load_part(shift, c, rest, 1))
    settle()


@njit(**PARALLEL)
def _apply(x, near, scale, shift, y, large):
    for block in prange(BLOCKS):
        _apply_block(x, near, scale, shift, y, large, *block_of(block, x.size // near.size))


@njit(**WORKER)
def _gradient_sums_block(x, dy, near, dbeta, dcentred, start, stop):
    """Sums of dy and of dy · (x - near) over rows start to stop."""
    channels, strip = near.size, strip_of(x)
    few, few_centred = np.empty((2, channels + strip), x.dtype)
    for begin in range(start, stop, FEW_ROWS):
        few[:] = few_centred[:] = 0
        for row in range(begin * channels, min(begin + FEW_ROWS, stop) * channels, channels):
            for c in range(0, channels, strip):
                valid = channels - c
                gradient = load_part(dy, row + c, valid, STRIP)
                shift = load_part(near, c, valid, STRIP)
                difference = load_part(x, row + c, valid, STRIP) - shift
                store(few, c, load(few, c, STRIP) + gradient)
                centred = load(few_centred, c, STRIP)
                store(few_centred, c, multiply_add(gradient, difference, centred))
        for c in range(channels):
            dbeta[c] += few[c]
            dcentred[c] += few_centred[c]


@njit(**PARALLEL)
def _gradient_sums(x, dy, near, sums):
    for block in prange(BLOCKS):
        _gradient_sums_block(
            x, dy, near, sums[block, 0], sums[block, 1],
            *pieces_of(block, x.size // near.size, FEW_ROWS),
        )


@njit(**SERIAL)
def _gradient_line(sums, gamma, mean, near, r, rows, training):
    """dγ, dβ, scale, slope and offset of each channel, for dx in one line.

    ``dx = scale · dy - offset - (x - near) · slope``; in evaluation the first term alone.
    """
    # dx = γ·r · (dy - dβ/R - x̂ · dγ/R)  with  x̂ = r · (x - near) - r · (μ - near)
    #    = γ·r · dy  -  (γ·r · dβ/R - (μ - near) · γ·r·r · dγ/R)  -  (x - near) · γ·r·r · dγ/R
    #      scale        offset                                       slope
    total, centred = np.zeros((2, r.size))
    for block in range(BLOCKS):
        for c in range(r.size):
            total[c] += sums[block, 0, c]
            centred[c] += sums[block, 1, c]
    dgamma, dbeta, scale, slope, offset = np.empty((5, r.size), gamma.dtype)
    for c in range(r.size):
        rest, factor = mean[c] - near[c], gamma[c] * r[c]
        product = (centred[c] - rest * total[c]) * r[c]  # Σ dy · x̂
        tilt = factor * r[c] * product / rows if training else 0.0
        dgamma[c], dbeta[c], scale[c], slope[c] = product, total[c], factor, tilt
        offset[c] = factor * total[c] / rows - rest * tilt if training else 0.0
    return dgamma, dbeta, scale, slope, offset


@njit(**WORKER)
def _apply_gradient_block(x, dy, near, scale, slope, offset, dx, large, start, stop):
    channels, lane_count = near.size, lanes_of(x)
    rest = channels % lane_count
    for row in range(start * channels, stop * channels, channels):
        for c in range(0, channels - rest, lane_count):
            centred = load(x, row + c, 1) - load(near, c, 1)
            unbiased = load(scale, c, 1) * load(dy, row + c, 1) - load(offset, c, 1)
            put(dx, row + c, unbiased - centred * load(slope, c, 1), large)
        if rest > 0:
            c = channels - rest
            centred = load_part(x, row + c, rest, 1) - load_part(near, c, rest, 1)
            scaled = load_part(scale, c, rest, 1) * load_part(dy, row + c, rest, 1)
            unbiased = scaled - load_part(offset, c, rest, 1)
            store_part(dx, row + c, rest, unbiased - centred * load_part(slope, c, rest, 1))
    settle()


@njit(**PARALLEL)
def _apply_gradient(x, dy, near, scale, slope, offset, dx, large):
    for block in prange(BLOCKS):
        _apply_gradient_block(
            x, dy, near, scale, slope, offset, dx, large, *block_of(block, x.size // near.size)
        )
