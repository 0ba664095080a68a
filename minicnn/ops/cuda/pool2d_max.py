"""Kernels of maximum pooling: the greatest pixel of a window, and back to the pixel that won."""

import functools
import math

from minicnn.ops.cuda.compile import cuda, device_function, kernel, uint32, uint64
from minicnn.ops.cuda.pool2d_places import inside, place_of_thread, windows_over
from minicnn.ops.cuda.rows import THREADS, moves


@functools.cache
def _keep_greater(lanes):
    @device_function
    def keep_greater(values, here, best, place):
        """Let a pixel replace the best so far, channel by channel, where it is greater.

        NaN counts as greater than all, and no comparison beats it.
        """
        for lane in range(lanes):
            value, greatest = values[lane], best[lane]
            wins = (not value <= greatest) and greatest == greatest
            best[lane] = value if wins else greatest
            place[lane] = here if wins else place[lane]

    return keep_greater


@functools.cache
def maxpool_kernel(lanes):
    load, store = moves(lanes)
    keep_greater = _keep_greater(lanes)

    @kernel(threads=THREADS)
    def maxpool(
        x, y, argmax, count, height, width, y_height, y_width, channels,
        window_height, window_width, down, across, top, left,
    ):
        """The greatest pixel of each window, and its place there."""
        p, q, c = place_of_thread(lanes, y_width, channels)
        if p >= y_height:
            return
        best, place = cuda.local.array(lanes, x.dtype), cuda.local.array(lanes, argmax.dtype)
        h0, h1 = inside(p, down, top, window_height, height)
        v0, v1 = inside(q, across, left, window_width, width)
        row_of_first = uint32(h0 + top - p * down)
        column_of_first = uint32(v0 + left - q * across)
        result = uint32((p * y_width + q) * channels + c)
        n = uint32(cuda.blockIdx.y)
        while n < count:
            image = x + uint64(n) * uint64(uint32(height * width * channels))
            for lane in range(lanes):  # the first pixel stays where all are -inf
                best[lane] = x.dtype.type(-math.inf)
                place[lane] = argmax.dtype.type(row_of_first * window_width + column_of_first)
            i = row_of_first
            for h in range(h0, h1):
                j = column_of_first
                for v in range(v0, v1):
                    here = argmax.dtype.type(i * window_width + j)
                    keep_greater(
                        load(image, uint32((uint32(h) * width + uint32(v)) * channels + c)),
                        here, best, place,
                    )
                    j = uint32(j + uint32(1))
                i = uint32(i + uint32(1))
            first = uint64(n) * uint64(uint32(y_height * y_width * channels))
            store(y + first, result, best)
            store(argmax + first, result, place)
            n = uint32(n + uint32(cuda.gridDim.y))

    return maxpool


@functools.cache
def maxpool_two_kernel(lanes):
    load, store = moves(lanes)
    keep_greater = _keep_greater(lanes)

    @kernel(threads=THREADS)
    def maxpool_two(x, y, argmax, count, height, width, y_height, y_width, channels):
        """The greatest of 2 × 2 pixels, and its place there."""
        p, q, c = place_of_thread(lanes, y_width, channels)
        if p >= y_height:
            return
        best, place = cuda.local.array(lanes, x.dtype), cuda.local.array(lanes, argmax.dtype)
        two = uint32(2)
        corner = uint32((two * p * width + two * q) * channels + c)
        result = uint32((p * y_width + q) * channels + c)
        n = uint32(cuda.blockIdx.y)
        while n < count:
            image = x + uint64(n) * uint64(uint32(height * width * channels))
            first = load(image, corner)
            second = load(image, uint32(corner + channels))
            third = load(image, uint32(corner + width * channels))
            fourth = load(image, uint32(corner + (width + uint32(1)) * channels))
            for lane in range(lanes):
                best[lane], place[lane] = first[lane], argmax.dtype.type(0)
            keep_greater(second, argmax.dtype.type(1), best, place)
            keep_greater(third, argmax.dtype.type(2), best, place)
            keep_greater(fourth, argmax.dtype.type(3), best, place)
            start = uint64(n) * uint64(uint32(y_height * y_width * channels))
            store(y + start, result, best)
            store(argmax + start, result, place)
            n = uint32(n + uint32(cuda.gridDim.y))

    return maxpool_two


@functools.cache
def maxpool_gradient_kernel(lanes):
    load, store = moves(lanes)

    @kernel(threads=THREADS)
    def maxpool_gradient(
        dy, argmax, dx, count, height, width, y_height, y_width, channels,
        window_height, window_width, down, across, top, left,
    ):
        """Each pixel of dx adds up dy of the windows where it won."""
        h, v, c = place_of_thread(lanes, width, channels)
        if h >= height:
            return
        sums = cuda.local.array(lanes, dx.dtype)
        p0, p1 = windows_over(h, down, top, window_height, y_height)
        q0, q1 = windows_over(v, across, left, window_width, y_width)
        n = uint32(cuda.blockIdx.y)
        while n < count:
            start = uint64(n) * uint64(uint32(y_height * y_width * channels))
            for lane in range(lanes):
                sums[lane] = dx.dtype.type(0)
            for p in range(p0, p1):
                i = uint32(h + top - uint32(p) * down)
                for q in range(q0, q1):
                    j = uint32(v + left - uint32(q) * across)
                    here = argmax.dtype.type(i * window_width + j)
                    result = uint32((uint32(p) * y_width + uint32(q)) * channels + c)
                    gradient, place = load(dy + start, result), load(argmax + start, result)
                    for lane in range(lanes):
                        sums[lane] += gradient[lane] if place[lane] == here else dx.dtype.type(0)
            image = dx + uint64(n) * uint64(uint32(height * width * channels))
            store(image, uint32((h * width + v) * channels + c), sums)
            n = uint32(n + uint32(cuda.gridDim.y))

    return maxpool_gradient


@functools.cache
def maxpool_two_gradient_kernel(lanes):
    load, store = moves(lanes)

    @kernel(threads=THREADS)
    def maxpool_two_gradient(dy, argmax, dx, count, height, width, y_height, y_width, channels):
        """The four pixels of a window: dy where one won, 0 elsewhere, and 0 outside all windows."""
        two = uint32(2)
        p, q, c = place_of_thread(lanes, uint32((width + uint32(1)) // two), channels)
        if uint32(two * p) >= height:
            return
        values = cuda.local.array(lanes, dx.dtype)
        is_window = p < y_height and q < y_width
        result = uint32((p * y_width + q) * channels + c)
        n = uint32(cuda.blockIdx.y)
        while n < count:
            start = uint64(n) * uint64(uint32(y_height * y_width * channels))
            image = dx + uint64(n) * uint64(uint32(height * width * channels))
            if is_window:
                gradient, place = load(dy + start, result), load(argmax + start, result)
            for here in range(4):
                h, v = uint32(two * p + here // 2), uint32(two * q + here % 2)
                for lane in range(lanes):
                    values[lane] = dx.dtype.type(0)
                    if is_window and place[lane] == argmax.dtype.type(here):
                        values[lane] = gradient[lane]
                if h < height and v < width:
                    store(image, uint32((h * width + v) * channels + c), values)
            n = uint32(n + uint32(cuda.gridDim.y))

    return maxpool_two_gradient
