"""Kernels of average pooling: the mean of a window, or of a whole image, and its share back."""

import functools

import numpy as np

from minicnn.ops.cuda.compile import cuda, kernel, uint32, uint64
from minicnn.ops.cuda.pool2d_places import inside, place_of_thread, windows_over
from minicnn.ops.cuda.rows import THREADS, block_sums, moves


@functools.cache
def avgpool_kernel(lanes):
    load, store = moves(lanes)

    @kernel(threads=THREADS)
    def avgpool(
        x, y, count, height, width, y_height, y_width, channels,
        window_height, window_width, down, across, top, left,
    ):
        """The mean of each window's pixels, summed in float64."""
        p, q, c = place_of_thread(lanes, y_width, channels)
        if p >= y_height:
            return
        sums = cuda.local.array(lanes, np.float64)
        means = cuda.local.array(lanes, y.dtype)
        h0, h1 = inside(p, down, top, window_height, height)
        v0, v1 = inside(q, across, left, window_width, width)
        m = np.float64(uint32((h1 - h0) * (v1 - v0)))
        n = uint32(cuda.blockIdx.y)
        while n < count:
            image = x + uint64(n) * uint64(uint32(height * width * channels))
            for lane in range(lanes):
                sums[lane] = 0.0
            for h in range(h0, h1):
                for v in range(v0, v1):
                    pixel = load(image, uint32((uint32(h) * width + uint32(v)) * channels + c))
                    for lane in range(lanes):
                        sums[lane] += np.float64(pixel[lane])
            for lane in range(lanes):
                means[lane] = y.dtype.type(sums[lane] / m)
            start = uint64(n) * uint64(uint32(y_height * y_width * channels))
            store(y + start, uint32((p * y_width + q) * channels + c), means)
            n = uint32(n + uint32(cuda.gridDim.y))

    return avgpool


@functools.cache
def avgpool_gradient_kernel(lanes):
    load, store = moves(lanes)

    @kernel(threads=THREADS)
    def avgpool_gradient(
        dy, dx, count, height, width, y_height, y_width, channels,
        window_height, window_width, down, across, top, left,
    ):
        """Each pixel of dx adds up dy / m of the windows over it."""
        real = dx.dtype.type
        h, v, c = place_of_thread(lanes, width, channels)
        if h >= height:
            return
        sums = cuda.local.array(lanes, dx.dtype)
        p0, p1 = windows_over(h, down, top, window_height, y_height)
        q0, q1 = windows_over(v, across, left, window_width, y_width)
        n = uint32(cuda.blockIdx.y)
        while n < count:
            gradients = dy + uint64(n) * uint64(uint32(y_height * y_width * channels))
            for lane in range(lanes):
                sums[lane] = real(0)
            for p in range(p0, p1):
                h0, h1 = inside(uint32(p), down, top, window_height, height)
                for q in range(q0, q1):
                    v0, v1 = inside(uint32(q), across, left, window_width, width)
                    m = real(uint32((h1 - h0) * (v1 - v0)))
                    place = uint32((uint32(p) * y_width + uint32(q)) * channels + c)
                    gradient = load(gradients, place)
                    for lane in range(lanes):
                        sums[lane] += gradient[lane] / m
            image = dx + uint64(n) * uint64(uint32(height * width * channels))
            store(image, uint32((h * width + v) * channels + c), sums)
            n = uint32(n + uint32(cuda.gridDim.y))

    return avgpool_gradient


@functools.cache
def global_mean_kernel(lanes):
    load, store = moves(lanes)
    add_up = block_sums(lanes)
    shared_size = lanes * THREADS

    @kernel(threads=THREADS)
    def global_mean(x, y, count, pixels, channels, strip):
        """The mean over an image's pixels, a block an image, summed in float64."""
        shared = cuda.shared.array(shared_size, np.float64)
        sums = cuda.local.array(lanes, np.float64)
        means = cuda.local.array(lanes, y.dtype)
        thread = uint32(cuda.threadIdx.x)
        first = uint32(thread // strip)
        at_once = uint32(uint32(THREADS) // strip)
        c = uint32((uint32(cuda.blockIdx.x) * strip + thread - first * strip) * uint32(lanes))
        adds = c < channels and first < at_once
        n = uint32(cuda.blockIdx.y)
        while n < count:
            image = x + uint64(n) * uint64(uint32(pixels * channels))
            for lane in range(lanes):
                sums[lane] = 0.0
            pixel = first
            while adds and pixel < pixels:
                values = load(image, uint32(pixel * channels + c))
                for lane in range(lanes):
                    sums[lane] += np.float64(values[lane])
                pixel = uint32(pixel + at_once)
            add_up(sums, shared, strip, at_once)
            if thread < strip and c < channels:
                for lane in range(lanes):
                    total = shared[lane * THREADS + thread]
                    means[lane] = y.dtype.type(total / np.float64(pixels))
                store(y + uint64(n) * uint64(channels), c, means)
            cuda.syncthreads()  # the next image's numbers take the place of this one's
            n = uint32(n + uint32(cuda.gridDim.y))

    return global_mean


@functools.cache
def global_mean_gradient_kernel(lanes):
    load, store = moves(lanes)

    @kernel(threads=THREADS)
    def global_mean_gradient(dy, dx, count, pixels, channels):
        """Every pixel gets dy / (H·W)."""
        pixel, _, c = place_of_thread(lanes, uint32(1), channels)
        if pixel >= pixels:
            return
        values = cuda.local.array(lanes, dx.dtype)
        n = uint32(cuda.blockIdx.y)
        while n < count:
            gradient = load(dy + uint64(n) * uint64(channels), c)
            for lane in range(lanes):
                values[lane] = gradient[lane] / dx.dtype.type(pixels)
            image = dx + uint64(n) * uint64(uint32(pixels * channels))
            store(image, uint32(pixel * channels + c), values)
            n = uint32(n + uint32(cuda.gridDim.y))

    return global_mean_gradient
