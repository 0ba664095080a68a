"""Maximum and average pooling: a thread owns one place of an image, and some channels there.

Forward, the place is an output and the thread looks at its window. Backward it is a pixel of dx,
and the thread adds up what the windows over it send: a gather, in a fixed order, where a scatter
would need atomic additions. Windows of 2 × 2 that move by 2 have kernels of their own: all four
loads are under way at once, and backward a thread owns a window, so that dy is read once.

A thread does for every image, one after the other, what it does for the first; so it finds its
place once.
"""

import functools
import math

import numpy as np

from minicnn.ops.cuda.array import empty
from minicnn.ops.cuda.compile import cuda, device_function, kernel, uint32, uint64
from minicnn.ops.cuda.device import device
from minicnn.ops.cuda.rows import THREADS, block_sums, lanes_of, moves
from minicnn.ops.pool2d import AvgPool2DCache, GlobalAvgPool2DCache, MaxPool2DCache

_BLOCKS = 8
"""Blocks a multiprocessor."""

_TWO_BY_TWO = (2, 2), (2, 2), ((0, 0), (0, 0))
"""Size, stride and padding of the window that has kernels of its own."""


def maxpool2d_forward(x, window):
    """The greatest value in each window, the first of a tie; NaN wins.

    x (N, H, W, C) -> y (N, OH, OW, C).
    """
    count, height, width, channels = x.shape
    y = empty((count, *window.output_size(height, width), channels), x.dtype)
    argmax = empty(y.shape, window.place_dtype)
    lanes, numbers = lanes_of(channels, x.dtype), _sizes(x.shape, y.shape)
    if _is_two_by_two(window):
        _maxpool_two_kernel(lanes)[_grid(y.shape, lanes)](x, y, argmax, *numbers)
    else:
        _maxpool_kernel(lanes)[_grid(y.shape, lanes)](x, y, argmax, *numbers, *_geometry_of(window))
    return y, MaxPool2DCache(argmax, window, x.shape, x.dtype)


def maxpool2d_backward(dy, cache):
    """Each dy (N, OH, OW, C) goes to the pixel of dx (N, H, W, C) that won; overlaps add up."""
    dx = empty(cache.x_shape, cache.dtype)
    lanes, numbers = lanes_of(dx.shape[3], dx.dtype), _sizes(dx.shape, dy.shape)
    if _is_two_by_two(cache.window):
        count, height, width, channels = dx.shape
        corners = count, (height + 1) // 2, (width + 1) // 2, channels  # those of rims as well
        _maxpool_two_gradient_kernel(lanes)[_grid(corners, lanes)](dy, cache.argmax, dx, *numbers)
    else:
        _maxpool_gradient_kernel(lanes)[_grid(dx.shape, lanes)](
            dy, cache.argmax, dx, *numbers, *_geometry_of(cache.window)
        )
    return dx


def avgpool2d_forward(x, window):
    """The mean of each window's pixels in the image: x (N, H, W, C) -> y (N, OH, OW, C)."""
    cache = AvgPool2DCache(window, x.shape, x.dtype)
    y = empty(cache.y_shape, x.dtype)
    lanes = lanes_of(x.shape[3], x.dtype)
    _avgpool_kernel(lanes)[_grid(y.shape, lanes)](
        x, y, *_sizes(x.shape, y.shape), *_geometry_of(window)
    )
    return y, cache


def avgpool2d_backward(dy, cache):
    """Each pixel under a window of m pixels gets dy / m: dy (N, OH, OW, C) -> dx (N, H, W, C)."""
    dx = empty(cache.x_shape, cache.dtype)
    lanes = lanes_of(dx.shape[3], dx.dtype)
    _avgpool_gradient_kernel(lanes)[_grid(dx.shape, lanes)](
        dy, dx, *_sizes(dx.shape, dy.shape), *_geometry_of(cache.window)
    )
    return dx


def global_avgpool2d_forward(x):
    """The mean of each channel over the image: x (N, H, W, C) -> y (N, C)."""
    count, height, width, *_, channels = _sizes(x.shape, x.shape)
    y = empty((count, channels), x.dtype)
    lanes = lanes_of(channels, x.dtype)
    strips = -(-channels // (lanes * THREADS))
    strip = -(-channels // (lanes * strips))
    _global_mean_kernel(lanes)[strips, min(count, _MOST_DOWN)](
        x, y, count, height * width, channels, strip
    )
    return y, GlobalAvgPool2DCache(x.shape, x.dtype)


def global_avgpool2d_backward(dy, cache):
    """Every pixel gets dy / (H·W): dy (N, C) -> dx (N, H, W, C)."""
    dx = empty(cache.x_shape, cache.dtype)
    count, height, width, *_, channels = _sizes(dx.shape, dx.shape)
    lanes = lanes_of(channels, dx.dtype)
    _global_mean_gradient_kernel(lanes)[_grid(dx.shape, lanes)](
        dy, dx, count, height * width, channels
    )
    return dx


_MOST_DOWN = 65535
"""Blocks along a grid's second axis, at most."""


def _grid(shape, lanes):
    """Blocks for the places of an image, and how many images are worked on at once."""
    count, height, width, channels = shape
    across = -(-height * width * channels // (lanes * THREADS))
    wanted = -(-_BLOCKS * device().multiprocessors // across)
    images_each = -(-count // min(count, wanted, _MOST_DOWN))
    return across, -(-count // images_each)


def _sizes(x_shape, y_shape):
    """N, H, W, OH, OW, C for the kernels."""
    count, height, width, channels = x_shape
    for image in (x_shape[1:], y_shape[1:]):
        if math.prod(image) >= 2**32:
            raise OverflowError(
                f"pooling on a GPU counts the values of one image in 32 bits, got an image {image}"
            )
    return count, height, width, *y_shape[1:3], channels


def _geometry_of(window):
    """Height and width of the window, stride, padding above and on the left."""
    (top, _), (left, _) = window.padding
    return *window.size, *window.stride, top, left


def _is_two_by_two(window):
    return (window.size, window.stride, window.padding) == _TWO_BY_TWO


@device_function
def _place_of_thread(lanes, width, channels):
    """Row, column and first channel that a thread owns, in an image of this width."""
    groups = uint32(channels // uint32(lanes))
    place = uint32(cuda.grid(1))
    pixel = uint32(place // groups)
    row = uint32(pixel // width)
    return row, uint32(pixel - row * width), uint32((place - pixel * groups) * uint32(lanes))


@device_function
def _inside(place, stride, before, size, length):
    """First pixel of a window that lies inside the image, and the one after the last."""
    start = uint32(place * stride)  # counted from the rim's beginning
    return (
        uint32(max(start, before) - before),
        uint32(min(uint32(start + size), uint32(before + length)) - before),
    )


@device_function
def _windows_over(pixel, stride, before, size, places):
    """First window that covers a pixel, and the one after the last."""
    from_rim = uint32(pixel + before)
    first = uint32(0)
    if from_rim >= size:
        first = uint32(uint32(from_rim - size) // stride + uint32(1))
    return first, min(uint32(from_rim // stride + uint32(1)), places)


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
def _maxpool_kernel(lanes):
    load, store = moves(lanes)
    keep_greater = _keep_greater(lanes)

    @kernel(threads=THREADS)
    def maxpool(
        x, y, argmax, count, height, width, y_height, y_width, channels,
        window_height, window_width, down, across, top, left,
    ):
        """The greatest pixel of each window, and its place there."""
        p, q, c = _place_of_thread(lanes, y_width, channels)
        if p >= y_height:
            return
        best, place = cuda.local.array(lanes, x.dtype), cuda.local.array(lanes, argmax.dtype)
        h0, h1 = _inside(p, down, top, window_height, height)
        v0, v1 = _inside(q, across, left, window_width, width)
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
def _maxpool_two_kernel(lanes):
    load, store = moves(lanes)
    keep_greater = _keep_greater(lanes)

    @kernel(threads=THREADS)
    def maxpool_two(x, y, argmax, count, height, width, y_height, y_width, channels):
        """The greatest of 2 × 2 pixels, and its place there."""
        p, q, c = _place_of_thread(lanes, y_width, channels)
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
def _maxpool_gradient_kernel(lanes):
    load, store = moves(lanes)

    @kernel(threads=THREADS)
    def maxpool_gradient(
        dy, argmax, dx, count, height, width, y_height, y_width, channels,
        window_height, window_width, down, across, top, left,
    ):
        """Each pixel of dx adds up dy of the windows where it won."""
        h, v, c = _place_of_thread(lanes, width, channels)
        if h >= height:
            return
        sums = cuda.local.array(lanes, dx.dtype)
        p0, p1 = _windows_over(h, down, top, window_height, y_height)
        q0, q1 = _windows_over(v, across, left, window_width, y_width)
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
def _maxpool_two_gradient_kernel(lanes):
    load, store = moves(lanes)

    @kernel(threads=THREADS)
    def maxpool_two_gradient(dy, argmax, dx, count, height, width, y_height, y_width, channels):
        """The four pixels of a window: dy where one won, 0 elsewhere, and 0 outside all windows."""
        two = uint32(2)
        p, q, c = _place_of_thread(lanes, uint32((width + uint32(1)) // two), channels)
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


@functools.cache
def _avgpool_kernel(lanes):
    load, store = moves(lanes)

    @kernel(threads=THREADS)
    def avgpool(
        x, y, count, height, width, y_height, y_width, channels,
        window_height, window_width, down, across, top, left,
    ):
        """The mean of each window's pixels, summed in float64."""
        p, q, c = _place_of_thread(lanes, y_width, channels)
        if p >= y_height:
            return
        sums = cuda.local.array(lanes, np.float64)
        means = cuda.local.array(lanes, y.dtype)
        h0, h1 = _inside(p, down, top, window_height, height)
        v0, v1 = _inside(q, across, left, window_width, width)
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
def _avgpool_gradient_kernel(lanes):
    load, store = moves(lanes)

    @kernel(threads=THREADS)
    def avgpool_gradient(
        dy, dx, count, height, width, y_height, y_width, channels,
        window_height, window_width, down, across, top, left,
    ):
        """Each pixel of dx adds up dy / m of the windows over it."""
        real = dx.dtype.type
        h, v, c = _place_of_thread(lanes, width, channels)
        if h >= height:
            return
        sums = cuda.local.array(lanes, dx.dtype)
        p0, p1 = _windows_over(h, down, top, window_height, y_height)
        q0, q1 = _windows_over(v, across, left, window_width, y_width)
        n = uint32(cuda.blockIdx.y)
        while n < count:
            gradients = dy + uint64(n) * uint64(uint32(y_height * y_width * channels))
            for lane in range(lanes):
                sums[lane] = real(0)
            for p in range(p0, p1):
                h0, h1 = _inside(uint32(p), down, top, window_height, height)
                for q in range(q0, q1):
                    v0, v1 = _inside(uint32(q), across, left, window_width, width)
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
def _global_mean_kernel(lanes):
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
            n = uint32(n + uint32(cuda.gridDim.y))

    return global_mean


@functools.cache
def _global_mean_gradient_kernel(lanes):
    load, store = moves(lanes)

    @kernel(threads=THREADS)
    def global_mean_gradient(dy, dx, count, pixels, channels):
        """Every pixel gets dy / (H·W)."""
        pixel, _, c = _place_of_thread(lanes, uint32(1), channels)
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
