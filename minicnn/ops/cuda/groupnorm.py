"""Group normalisation: a block of threads has a group of a sample, from its first sum to its y.

x (N, ..., C) is seen as (N, P, C): N samples of P pixels. A group is P rows of C / G neighbouring
channels, its width. `strip` threads stand side by side along a row of it, each with some lanes, and
a block takes `at_once` rows at a time; where a row is wider than a block, strip comes after strip.
Blocks do not wait for each other.
Memory is passed over three times
forward, five times backward; what a block reads for the second time its cache may still have.
"""

import functools
import math
from typing import NamedTuple

import numpy as np

from minicnn.ops.cuda.array import empty
from minicnn.ops.cuda.channels import moment_sums, product_sums
from minicnn.ops.cuda.compile import cuda, device_function, kernel, uint32, uint64
from minicnn.ops.cuda.rows import THREADS, block_sums, lanes_of, moves, total_of_block
from minicnn.ops.cuda.sums import column_sums
from minicnn.ops.cuda.warps import WARP, block_sum
from minicnn.ops.groupnorm import GroupNormCache

_WARPS = THREADS // WARP
_SHARED = _WARPS + 1


def groupnorm_forward(x, gamma, beta, *, groups, eps):
    """y = γ · x̂ + β with x̂ = (x - μ) · r and r = 1 / sqrt(σ² + eps), group by group.

    x, y (N, ..., C); γ, β (C,); μ, σ² (N, G).
    """
    work = _work_of(x, groups)
    mean, r = empty((len(x), groups), np.float64), empty((len(x), groups), np.float64)
    y = empty(x.shape, x.dtype)
    _normalize_kernel(work.lanes)[work.blocks](
        x, gamma, beta, np.float64(eps), *work.sizes, mean, r, y
    )
    return y, GroupNormCache(x, gamma, mean, r)


def groupnorm_backward(dy, cache):
    """dx = r · (g - mean(g) - x̂ · mean(g · x̂)) with g = γ · dy, dγ = Σ dy · x̂, dβ = Σ dy.

    dy (N, ..., C) -> dx (N, ..., C), dγ (C,), dβ (C,).
    """
    x, channels = cache.x, cache.x.shape[-1]
    work = _work_of(x, cache.mean.shape[1])
    parts = empty((len(x), 2 * channels), np.float64)  # Σ dy · x̂, Σ dy of each sample
    dx = empty(x.shape, x.dtype)
    _gradients_kernel(work.lanes)[work.blocks](
        x, dy, cache.gamma, cache.mean, cache.inverse_std, *work.sizes, parts, dx
    )
    sums = column_sums(parts, x.dtype)
    return dx, sums.part(0, (channels,)), sums.part(channels, (channels,))


class _Work(NamedTuple):
    """How (N, P, C) is shared out, and the numbers that a kernel is told of it."""

    lanes: int
    blocks: int
    sizes: tuple[int, ...]


def _work_of(x, groups):
    """The work of so many groups of every sample."""
    samples, channels = len(x), x.shape[-1]
    size, width = x.size // samples, channels // groups
    lanes = lanes_of(width, x.dtype)
    columns = width // lanes
    strip = -(-columns // -(-columns // THREADS))
    sizes = groups, size, size // channels, channels, width, strip
    return _Work(lanes, samples * groups, sizes)


@device_function
def _sum_of_block(value, shared):
    """The sum over all threads of a block, for each of them; shared is of `_SHARED` numbers."""
    value = block_sum(value, shared, _WARPS)
    if uint32(cuda.threadIdx.x) == uint32(0):
        shared[_WARPS] = value
    cuda.syncthreads()
    return shared[_WARPS]


@functools.cache
def _normalize_kernel(lanes):
    load, store = moves(lanes)
    add_moments, entries = moment_sums(lanes), 2 * lanes

    @device_function
    def mean_and_variance(x, begin, width, strip, pixels, channels, sums, few, shared):
        """Of a group, whose first channel is `begin`.

        A thread takes differences from the first numbers that it reads, and they are few of all:
        one that lies far from the others spoils no sum but its own.
        """
        thread = uint32(cuda.threadIdx.x)
        row, at_once = uint32(thread // strip), uint32(uint32(THREADS) // strip)
        column = uint32((thread - row * strip) * uint32(lanes))
        for entry in range(entries):
            sums[entry] = 0.0
        mine = 0.0  # numbers of each lane
        if row < at_once and row < pixels and column < width:
            first = load(x, uint32(row * channels + begin + column))
            rows = np.float64(uint32(uint32(pixels - row + at_once - uint32(1)) // at_once))
            while column < width:
                c = uint32(begin + column)
                add_moments(x, c, row, pixels, at_once, channels, first, few, sums)
                mine += rows
                column = uint32(column + strip * uint32(lanes))
            for lane in range(lanes):  # the mean of each lane, and the squares about it
                distance = sums[lane] / mine
                sums[lanes + lane] -= sums[lane] * distance
                sums[lane] = np.float64(first[lane]) + distance
        m, total = np.float64(pixels) * np.float64(width), 0.0
        for lane in range(lanes):
            total += mine * sums[lane]
        mean = _sum_of_block(total, shared) / m
        total = 0.0
        for lane in range(lanes):
            difference = sums[lane] - mean
            total += sums[lanes + lane] + mine * difference * difference
        var = _sum_of_block(total, shared) / m
        return mean, 0.0 if var < 0.0 else var  # NaN stays

    @kernel(threads=THREADS)
    def normalize(
        x, gamma, beta, eps, groups, size, pixels, channels, width, strip, mean, r, y
    ):
        """μ, r (N, G) and y (N, P, C) of x (N, P, C); γ, β (C,)."""
        # y = γ·r · (x - μ) + β
        #   = γ·r · (x - near)  +  β - γ·r · (μ - near)
        #     scale                shift
        real = x.dtype.type
        shared = cuda.shared.array(_SHARED, np.float64)
        sums = cuda.local.array(entries, np.float64)
        few = cuda.local.array(entries, real)
        scale, shift = cuda.local.array(lanes, real), cuda.local.array(lanes, real)
        results = cuda.local.array(lanes, real)
        thread, item = uint32(cuda.threadIdx.x), uint32(cuda.blockIdx.x)
        sample = uint32(item // groups)
        group, n = uint32(item - sample * groups), uint64(sample)
        first_row, at_once = uint32(thread // strip), uint32(uint32(THREADS) // strip)
        first_column = uint32((thread - first_row * strip) * uint32(lanes))
        begin = uint32(group * width)
        here, there = x + n * uint64(size), y + n * uint64(size)
        centre, var = mean_and_variance(
            here, begin, width, strip, pixels, channels, sums, few, shared
        )
        exact_r = 1.0 / math.sqrt(var + eps)
        if thread == uint32(0):
            mean[item], r[item] = centre, exact_r
        near = real(centre)
        mean_error = centre - np.float64(near)
        column = first_column
        while column < width and first_row < at_once:
            c = uint32(begin + column)
            gammas, betas = load(gamma, c), load(beta, c)
            for lane in range(lanes):
                gamma_r = np.float64(gammas[lane]) * exact_r
                scale[lane] = real(gamma_r)
                shift[lane] = real(np.float64(betas[lane]) - mean_error * gamma_r)
            row, place = first_row, uint32(first_row * channels + c)
            while row < pixels:
                values = load(here, place)
                for lane in range(lanes):
                    results[lane] = (values[lane] - near) * scale[lane] + shift[lane]
                store(there, place, results)
                row = uint32(row + at_once)
                place = uint32(place + at_once * channels)
            column = uint32(column + strip * uint32(lanes))

    return normalize


@functools.cache
def _gradients_kernel(lanes):
    load, store = moves(lanes)
    add_products, add_up = product_sums(lanes), block_sums(2 * lanes)
    entries, shared_size = 2 * lanes, 2 * lanes * THREADS

    @device_function
    def sums_of_group(
        x, dy, gamma, begin, width, strip, pixels, channels, near, mean_error, r, mine, few, shared,
        part,
    ):
        """Σ g and Σ g · x̂ of a thread's channels; each channel's Σ dy · x̂ and Σ dy to `part`."""
        thread = uint32(cuda.threadIdx.x)
        first_row, at_once = uint32(thread // strip), uint32(uint32(THREADS) // strip)
        first_column = uint32((thread - first_row * strip) * uint32(lanes))
        g_sum, product_sum = 0.0, 0.0
        strip_begin = uint32(0)
        while strip_begin < width:
            for entry in range(entries):
                mine[entry] = 0.0
            column = uint32(strip_begin + first_column)
            if column < width and first_row < at_once:
                add_products(
                    x, dy, uint32(begin + column), first_row, pixels, at_once, channels, near, few,
                    mine,
                )
            add_up(mine, shared, strip, at_once)
            if lanes > 1:  # a channel's sum may be another thread's
                cuda.syncthreads()
            k = thread  # from here on a thread has one channel at a time
            while k < strip * uint32(lanes) and uint32(strip_begin + k) < width:
                c = uint32(begin + strip_begin + k)
                dy_sum = total_of_block(shared, 0, k, lanes)
                product = total_of_block(shared, 1, k, lanes)
                normalized_sum = (product - mean_error * dy_sum) * r  # Σ dy · x̂
                part[c], part[uint32(channels + c)] = normalized_sum, dy_sum
                g_sum += np.float64(gamma[c]) * dy_sum
                product_sum += np.float64(gamma[c]) * normalized_sum
                k = uint32(k + uint32(THREADS))
            cuda.syncthreads()
            strip_begin = uint32(strip_begin + strip * uint32(lanes))
        return g_sum, product_sum

    @kernel(threads=THREADS)
    def gradients(
        x, dy, gamma, mean, r, groups, size, pixels, channels, width, strip, parts, dx
    ):
        """dx (N, P, C), and each sample's part (N, 2, C) of dγ and dβ.

        x, dy (N, P, C), γ (C,), μ, r (N, G).
        """
        # dx = r · (g - mean(g) - x̂ · mean(g · x̂))  with  x̂ = r · (x - near) - r · (μ - near)
        #    = γ·r · dy  -  (r · mean(g) - (μ - near) · slope)  -  (x - near) · r·r·mean(g·x̂)
        #      scale        offset                                              slope
        real = x.dtype.type
        shared = cuda.shared.array(shared_size, np.float64)
        mine = cuda.local.array(entries, np.float64)
        few = cuda.local.array(entries, real)
        near_lanes, scale = cuda.local.array(lanes, real), cuda.local.array(lanes, real)
        results = cuda.local.array(lanes, real)
        thread, item = uint32(cuda.threadIdx.x), uint32(cuda.blockIdx.x)
        sample = uint32(item // groups)
        group, n = uint32(item - sample * groups), uint64(sample)
        first_row, at_once = uint32(thread // strip), uint32(uint32(THREADS) // strip)
        first_column = uint32((thread - first_row * strip) * uint32(lanes))
        begin = uint32(group * width)
        centre, exact_r = mean[item], r[item]
        near = real(centre)
        mean_error = centre - np.float64(near)
        for lane in range(lanes):
            near_lanes[lane] = near
        here, gradient, there = (
            x + n * uint64(size), dy + n * uint64(size), dx + n * uint64(size)
        )
        part = parts + n * uint64(uint32(2) * channels)
        g_sum, product_sum = sums_of_group(
            here, gradient, gamma, begin, width, strip, pixels, channels, near_lanes, mean_error,
            exact_r, mine, few, shared, part,
        )
        m = np.float64(pixels) * np.float64(width)
        exact_slope = exact_r * exact_r * (_sum_of_block(product_sum, shared) / m)
        slope = real(exact_slope)
        offset = real(exact_r * (_sum_of_block(g_sum, shared) / m) - mean_error * exact_slope)
        column = first_column
        while column < width and first_row < at_once:
            c = uint32(begin + column)
            gammas = load(gamma, c)
            for lane in range(lanes):
                scale[lane] = real(np.float64(gammas[lane]) * exact_r)
            row, place = first_row, uint32(first_row * channels + c)
            while row < pixels:
                upstream, values = load(gradient, place), load(here, place)
                for lane in range(lanes):
                    results[lane] = (
                        scale[lane] * upstream[lane] - offset - (values[lane] - near) * slope
                    )
                store(there, place, results)
                row = uint32(row + at_once)
                place = uint32(place + at_once * channels)
            column = uint32(column + strip * uint32(lanes))

    return gradients
