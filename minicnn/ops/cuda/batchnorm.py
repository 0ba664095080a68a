"""Batch normalisation: blocks of rows give statistics, one kernel merges them, one applies them.

x (N, ..., C) is seen as (m, C): m values per channel; `rows` says which thread owns which of them.
To lose no digits where the mean is large, the sums are of differences from a row or from the mean.
16 rows are added in x's dtype, which is fast; these sums are added in float64. Each block of rows
gives a mean and a sum of squared differences from it; two blocks are merged as in Chan, Golub and
LeVeque 1983, *Algorithms for computing the sample variance*, equation 2.1. Within a block the
differences are taken from its first row (equation 1.5). No block waits for another: a launch ends
where all of them have to be done. Memory is passed over three times forward, five times backward.
"""

import functools
import math

import numpy as np

from minicnn.ops.batchnorm import BatchNormCache
from minicnn.ops.cuda.array import empty
from minicnn.ops.cuda.channels import moment_sums, product_sums
from minicnn.ops.cuda.compile import cuda, device_function, kernel, uint32, uint64
from minicnn.ops.cuda.device import device
from minicnn.ops.cuda.rows import (
    THREADS,
    block_sums,
    moves,
    place_of_thread,
    rows_of_block,
    tiling_of,
    total_of_block,
)

_SUMMING, _APPLYING = 4, 8
"""Blocks a multiprocessor: a sum has 16 loads of a thread under way, an application has one."""

_ACROSS = 16
"""Channels that a block merges side by side, with as many threads for each of them."""


def batchnorm_forward(
    x, gamma, beta, running_mean, running_var, *, training, momentum, eps, unbiased_running_var
):
    """y = γ · x̂ + β with x̂ = (x - μ) · r and r = 1 / sqrt(σ² + eps), channel by channel.

    x, y (N, ..., C); γ, β, μ, σ² (C,). In training μ and σ² are the batch's, else the running ones.
    """
    channels = x.shape[-1]
    m = x.size // channels  # values per channel
    mean, r = empty((channels,), np.float64), empty((channels,), np.float64)
    coefficients = empty((3, channels), x.dtype)  # near, scale, shift
    if training:
        tiling = tiling_of(m, channels, x.dtype, _SUMMING * device().multiprocessors)
        moments = empty((tiling.blocks, 2, channels), np.float64)  # each block's mean and squares
        _moments_kernel(tiling.lanes)[tiling.grid](
            x, channels, tiling.strip, tiling.rows, np.uint64(m), moments
        )
        unbiased = m / (m - 1) if unbiased_running_var else 1.0
        _batch_coefficients[-(-channels // _ACROSS)](
            moments, tiling.blocks, np.float64(tiling.rows), np.float64(m), gamma, beta, channels,
            running_mean, running_var, np.float64(momentum), np.float64(unbiased), np.float64(eps),
            mean, r, coefficients,
        )
    else:
        _running_coefficients[-(-channels // THREADS)](
            gamma, beta, channels, running_mean, running_var, np.float64(eps), mean, r, coefficients
        )
    y = empty(x.shape, x.dtype)
    tiling = tiling_of(m, channels, x.dtype, _APPLYING * device().multiprocessors)
    _apply_kernel(tiling.lanes)[tiling.grid](
        x, coefficients, channels, tiling.strip, tiling.rows, np.uint64(m), y
    )
    return y, BatchNormCache(x, gamma, mean, r, training)


def batchnorm_backward(dy, cache):
    """dx = γ · r · (dy - mean(dy) - x̂ · mean(dy · x̂)) in training, term 1 otherwise.

    dy (N, ..., C) -> dx (N, ..., C), dγ (C,), dβ (C,).
    """
    x, gamma, mean, r = cache.x, cache.gamma, cache.mean, cache.inverse_std
    channels = x.shape[-1]
    m = x.size // channels  # values per channel
    tiling = tiling_of(m, channels, x.dtype, _SUMMING * device().multiprocessors)
    sums = empty((tiling.blocks, 2, channels), np.float64)  # Σ dy, Σ dy · (x - near) of each
    _gradient_sums_kernel(tiling.lanes)[tiling.grid](
        x, dy, mean, channels, tiling.strip, tiling.rows, np.uint64(m), sums
    )
    dgamma, dbeta = empty(gamma.shape, x.dtype), empty(gamma.shape, x.dtype)
    coefficients = empty((4, channels), x.dtype)  # near, scale, slope, offset
    _gradient_coefficients[-(-channels // _ACROSS)](
        sums, tiling.blocks, np.float64(m), gamma, mean, r, channels, dgamma, dbeta, coefficients
    )
    dx = empty(x.shape, x.dtype)
    tiling = tiling_of(m, channels, x.dtype, _APPLYING * device().multiprocessors)
    _apply_gradient_kernel(tiling.lanes)[tiling.grid](
        x, dy, coefficients, int(cache.training), channels, tiling.strip, tiling.rows,
        np.uint64(m), dx
    )
    return dx, dgamma, dbeta


@functools.cache
def _moments_kernel(lanes):
    load, _ = moves(lanes)
    add_moments, add_up = moment_sums(lanes), block_sums(2 * lanes)
    entries, shared_size = 2 * lanes, 2 * lanes * THREADS

    @kernel(threads=THREADS)
    def block_moments(x, channels, strip, rows, m, moments):
        """Mean, and sum of squared differences from it, of each channel in a block's rows.

        x (m, C) -> moments (blocks, 2, C). A thread has some lanes of the strip's channels, and
        every `at_once`-th row; `place` is where its next number is, from the block's first row on.
        """
        real = x.dtype.type
        shared = cuda.shared.array(shared_size, np.float64)
        sums = cuda.local.array(entries, np.float64)  # of the differences, of their squares
        few = cuda.local.array(entries, real)  # the same of a few rows
        for entry in range(entries):
            sums[entry] = 0.0
        start, count = rows_of_block(rows, m)
        row, lane_of_strip, c_of_strip = place_of_thread(lanes, strip)
        c, at_once = uint32(c_of_strip + lane_of_strip), uint32(uint32(THREADS) // strip)
        if c >= channels or row >= at_once:
            row, c = count, uint32(0)  # nothing to add
        block = x + start * uint64(channels)
        first = load(block, c)  # the block's first row: differences are taken from it
        add_moments(block, c, row, count, at_once, channels, first, few, sums)
        add_up(sums, shared, strip, at_once)
        if lanes > 1:  # a channel's sum may be another thread's
            cuda.syncthreads()
        thread = uint32(cuda.threadIdx.x)
        result = moments + uint64(cuda.blockIdx.x) * uint64(uint32(2) * channels)
        rows_here = np.float64(count)
        k = thread  # from here on a thread has one channel at a time
        while k < uint32(strip * uint32(lanes)) and uint32(c_of_strip + k) < channels:
            c = uint32(c_of_strip + k)
            # of the mean from the first row
            distance = total_of_block(shared, 0, k, lanes) / rows_here
            about_mean = total_of_block(shared, 1, k, lanes) - rows_here * distance * distance
            result[c] = np.float64(block[c]) + distance
            result[uint32(channels + c)] = 0.0 if about_mean < 0.0 else about_mean  # NaN stays
            k = uint32(k + uint32(THREADS))

    return block_moments


@device_function
def _merged(count, mean, squares, other_count, other_mean, other_squares):
    """Count, mean and squares of two sets of rows, from those of each (equation 2.1)."""
    both = count + other_count
    part = other_count / both
    difference = other_mean - mean
    return (
        both,
        mean + part * difference,
        squares + other_squares + count * part * difference * difference,
    )


_MERGED_SIZE = 3 * THREADS


@kernel(threads=THREADS)
def _batch_coefficients(
    moments, blocks, rows, m, gamma, beta, channels, running_mean, running_var, momentum, unbiased,
    eps, mean, r, coefficients,
):
    """The batch's mean and variance of each channel; what follows from them; the running ones.

    moments (blocks, 2, C) -> mean, r (C,), coefficients (3, C). A block has `_ACROSS` channels and
    as many threads for each, which share out the blocks of rows, and then merge by halves.
    """
    shared = cuda.shared.array(_MERGED_SIZE, np.float64)
    thread = uint32(cuda.threadIdx.x)
    c = uint32(uint32(cuda.blockIdx.x) * uint32(_ACROSS) + thread % uint32(_ACROSS))
    count, centre, squares = 0.0, 0.0, 0.0
    if c < channels:
        block = uint32(thread // uint32(_ACROSS))
        while block < blocks:  # what every 16th block found
            there = moments + uint64(block) * uint64(uint32(2) * channels)
            rows_there = min(rows, m - np.float64(block) * rows)
            count, centre, squares = _merged(
                count, centre, squares, rows_there, there[c], there[uint32(channels + c)]
            )
            block = uint32(block + uint32(THREADS // _ACROSS))
    half = uint32(THREADS // 2)  # the threads from here on hand over what they have, then the next
    while half >= uint32(_ACROSS):
        if thread >= half and thread < uint32(half * uint32(2)):
            shared[thread] = count
            shared[THREADS + thread] = centre
            shared[2 * THREADS + thread] = squares
        cuda.syncthreads()
        if thread < half and shared[half + thread] > 0.0:
            count, centre, squares = _merged(
                count, centre, squares, shared[half + thread], shared[THREADS + half + thread],
                shared[2 * THREADS + half + thread],
            )
        half = uint32(half // uint32(2))
    if thread < uint32(_ACROSS) and c < channels:
        var = squares / m
        moved_mean = momentum * running_mean[c] + (1.0 - momentum) * centre
        moved_var = momentum * running_var[c] + (1.0 - momentum) * (var * unbiased)
        running_mean[c] = running_mean.dtype.type(moved_mean)
        running_var[c] = running_var.dtype.type(moved_var)
        _set_coefficients(gamma, beta, channels, c, centre, var, eps, mean, r, coefficients)


@kernel(threads=THREADS)
def _running_coefficients(
    gamma, beta, channels, running_mean, running_var, eps, mean, r, coefficients
):
    """The running mean and variance take the place of the batch's."""
    c = uint32(cuda.grid(1))
    if c < channels:
        centre, var = np.float64(running_mean[c]), np.float64(running_var[c])
        _set_coefficients(gamma, beta, channels, c, centre, var, eps, mean, r, coefficients)


@device_function
def _set_coefficients(gamma, beta, channels, c, centre, var, eps, mean, r, coefficients):
    """μ, r (float64), near, scale and shift of a channel, for ``y = (x - near) · scale + shift``.

    `near` is the number of x's dtype next to μ, so that ``x - near`` is exact where x is close to
    it; the rest of μ goes into the shift.
    """
    # y = γ·r · (x - μ) + β
    #   = γ·r · (x - near)  +  β - γ·r · (μ - near)
    #     scale                shift
    real = gamma.dtype.type
    mean[c] = centre
    r[c] = 1.0 / math.sqrt(var + eps)
    near = real(centre)
    gamma_r = np.float64(gamma[c]) * r[c]
    coefficients[c] = near
    coefficients[uint32(channels + c)] = real(gamma_r)
    coefficients[uint32(uint32(2) * channels + c)] = real(
        np.float64(beta[c]) - (centre - np.float64(near)) * gamma_r
    )


@functools.cache
def _apply_kernel(lanes):
    load, store = moves(lanes)

    @kernel(threads=THREADS)
    def apply(x, coefficients, channels, strip, rows, m, y):
        """y = (x - near) · scale + shift: x (m, C), coefficients (3, C) -> y (m, C)."""
        start, count = rows_of_block(rows, m)
        row, lane_of_strip, c_of_strip = place_of_thread(lanes, strip)
        c, at_once = uint32(c_of_strip + lane_of_strip), uint32(uint32(THREADS) // strip)
        if c >= channels or row >= at_once:
            return
        here, there = x + start * uint64(channels), y + start * uint64(channels)
        near = load(coefficients, c)
        scale = load(coefficients, uint32(channels + c))
        shift = load(coefficients, uint32(uint32(2) * channels + c))
        results = cuda.local.array(lanes, x.dtype)
        place = uint32(row * channels + c)
        while row < count:
            values = load(here, place)
            for lane in range(lanes):
                results[lane] = (values[lane] - near[lane]) * scale[lane] + shift[lane]
            store(there, place, results)
            row = uint32(row + at_once)
            place = uint32(place + at_once * channels)

    return apply


@functools.cache
def _gradient_sums_kernel(lanes):
    load, _ = moves(lanes)
    add_products, add_up = product_sums(lanes), block_sums(2 * lanes)
    entries, strip_size, shared_size = 2 * lanes, lanes * THREADS, 2 * lanes * THREADS

    @kernel(threads=THREADS)
    def gradient_sums(x, dy, mean, channels, strip, rows, m, sums):
        """Sums of dy, and of the product dy · (x - near), over a block's rows.

        x, dy (m, C), mean (C,) -> sums (blocks, 2, C).
        """
        real = x.dtype.type
        shared = cuda.shared.array(shared_size, np.float64)
        mine = cuda.local.array(entries, np.float64)
        few = cuda.local.array(entries, real)  # of a few rows
        near_of_strip = cuda.shared.array(strip_size, real, alignment=16)
        start, count = rows_of_block(rows, m)
        row, lane_of_strip, c_of_strip = place_of_thread(lanes, strip)
        c, at_once = uint32(c_of_strip + lane_of_strip), uint32(uint32(THREADS) // strip)
        if c >= channels or row >= at_once:
            row, lane_of_strip = count, uint32(0)  # nothing to add
        here = start * uint64(channels)
        x, dy = x + here, dy + here
        thread = uint32(cuda.threadIdx.x)
        k = thread
        while k < uint32(strip * uint32(lanes)) and uint32(c_of_strip + k) < channels:
            near_of_strip[k] = real(mean[uint32(c_of_strip + k)])
            k = uint32(k + uint32(THREADS))
        cuda.syncthreads()
        near = load(near_of_strip, lane_of_strip)
        for entry in range(entries):
            mine[entry] = 0.0
        add_products(x, dy, c, row, count, at_once, channels, near, few, mine)
        add_up(mine, shared, strip, at_once)
        if lanes > 1:  # a channel's sum may be another thread's
            cuda.syncthreads()
        result = sums + uint64(cuda.blockIdx.x) * uint64(uint32(2) * channels)
        k = thread  # from here on a thread has one channel at a time
        while k < uint32(strip * uint32(lanes)) and uint32(c_of_strip + k) < channels:
            c = uint32(c_of_strip + k)
            result[c] = total_of_block(shared, 0, k, lanes)
            result[uint32(channels + c)] = total_of_block(shared, 1, k, lanes)
            k = uint32(k + uint32(THREADS))

    return gradient_sums


_SUMS_SIZE = 2 * THREADS
_add_up_sums = block_sums(2)


@kernel(threads=THREADS)
def _gradient_coefficients(sums, blocks, m, gamma, mean, r, channels, dgamma, dbeta, coefficients):
    """dγ, dβ, near, scale, slope and offset of each channel: sums (blocks, 2, C), the others (C,).

    ``dx = scale · dy - offset - (x - near) · slope``. scale · dy is term 1; in evaluation it is
    alone.
    """
    # dx = γ·r · (dy - dβ/m - x̂ · dγ/m)  with  x̂ = r · (x - near) - r · (μ - near)
    #    = γ·r · dy  -  (γ·r · dβ/m - (μ - near) · γ·r·r · dγ/m)  -  (x - near) · γ·r·r · dγ/m
    #      scale        offset                                                    slope
    real = gamma.dtype.type
    shared = cuda.shared.array(_SUMS_SIZE, np.float64)
    mine = cuda.local.array(2, np.float64)
    thread = uint32(cuda.threadIdx.x)
    c = uint32(uint32(cuda.blockIdx.x) * uint32(_ACROSS) + thread % uint32(_ACROSS))
    mine[0] = mine[1] = 0.0
    if c < channels:
        block = uint32(thread // uint32(_ACROSS))
        while block < blocks:  # what every 16th block found
            there = sums + uint64(block) * uint64(uint32(2) * channels)
            mine[0] += there[c]
            mine[1] += there[uint32(channels + c)]
            block = uint32(block + uint32(THREADS // _ACROSS))
    _add_up_sums(mine, shared, uint32(_ACROSS), uint32(THREADS // _ACROSS))
    if thread < uint32(_ACROSS) and c < channels:
        dy_sum, product_sum = shared[thread], shared[THREADS + thread]
        near = real(mean[c])
        mean_error, gamma_r = mean[c] - np.float64(near), np.float64(gamma[c]) * r[c]
        normalized_sum = (product_sum - mean_error * dy_sum) * r[c]  # Σ dy · x̂
        slope = gamma_r * r[c] * normalized_sum / m
        dgamma[c], dbeta[c] = real(normalized_sum), real(dy_sum)
        coefficients[c] = near
        coefficients[uint32(channels + c)] = real(gamma_r)
        coefficients[uint32(uint32(2) * channels + c)] = real(slope)
        coefficients[uint32(uint32(3) * channels + c)] = real(
            gamma_r * dy_sum / m - mean_error * slope
        )


@functools.cache
def _apply_gradient_kernel(lanes):
    load, store = moves(lanes)

    @kernel(threads=THREADS)
    def apply_gradient(x, dy, coefficients, training, channels, strip, rows, m, dx):
        """dx = scale · dy - offset - (x - near) · slope in training, scale · dy otherwise.

        x, dy (m, C), coefficients (4, C) -> dx (m, C).
        """
        start, count = rows_of_block(rows, m)
        row, lane_of_strip, c_of_strip = place_of_thread(lanes, strip)
        c, at_once = uint32(c_of_strip + lane_of_strip), uint32(uint32(THREADS) // strip)
        if c >= channels or row >= at_once:
            return
        offset_of_block = start * uint64(channels)
        x, dy, dx = x + offset_of_block, dy + offset_of_block, dx + offset_of_block
        scale = load(coefficients, uint32(channels + c))
        near, slope, offset = scale, scale, scale  # not used in evaluation
        if training:
            near = load(coefficients, c)
            slope = load(coefficients, uint32(uint32(2) * channels + c))
            offset = load(coefficients, uint32(uint32(3) * channels + c))
        results = cuda.local.array(lanes, x.dtype)
        place = uint32(row * channels + c)
        while row < count:
            gradients = load(dy, place)
            if training:
                values = load(x, place)
                for lane in range(lanes):
                    without_mean = scale[lane] * gradients[lane] - offset[lane]
                    results[lane] = without_mean - (values[lane] - near[lane]) * slope[lane]
            else:
                for lane in range(lanes):
                    results[lane] = scale[lane] * gradients[lane]
            store(dx, place, results)
            row = uint32(row + at_once)
            place = uint32(place + at_once * channels)

    return apply_gradient
