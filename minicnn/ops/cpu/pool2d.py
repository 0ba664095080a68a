"""Maximum and average pooling: loops over the windows, channels innermost."""

from typing import NamedTuple

import numpy as np

from minicnn.compiling.kernels import parallel, worker
from minicnn.ops.cpu.linalg import memory
from minicnn.ops.cpu.linalg.blocks import BLOCKS, block_of
from minicnn.ops.pool2d import AvgPool2DCache, GlobalAvgPool2DCache, MaxPool2DCache


def maxpool2d_forward(x, window):
    """The greatest value in each window, the first of a tie; NaN wins.

    x (N, H, W, C) -> y (N, OH, OW, C).
    """
    y = memory.empty((len(x), *window.output_size(*x.shape[1:3]), x.shape[3]), x.dtype)
    argmax = memory.empty(y.shape, window.place_dtype)
    _maxpool(BLOCKS, x, y, argmax, _geometry_of(window))
    return y, MaxPool2DCache(argmax, window, x.shape, x.dtype)


def maxpool2d_backward(dy, cache):
    """Each dy (N, OH, OW, C) goes to the pixel of dx (N, H, W, C) that won; overlaps add up."""
    dx = memory.empty(cache.x_shape, cache.dtype)
    _maxpool_gradient(BLOCKS, dy, cache.argmax, dx, _geometry_of(cache.window))
    return dx


def avgpool2d_forward(x, window):
    """The mean of each window's pixels in the image: x (N, H, W, C) -> y (N, OH, OW, C)."""
    cache = AvgPool2DCache(window, x.shape, x.dtype)
    y = memory.empty(cache.y_shape, x.dtype)
    _avgpool(BLOCKS, x, y, _geometry_of(window))
    return y, cache


def avgpool2d_backward(dy, cache):
    """Each pixel under a window of m pixels gets dy / m: dy (N, OH, OW, C) -> dx (N, H, W, C)."""
    dx = memory.empty(cache.x_shape, cache.dtype)
    _avgpool_gradient(BLOCKS, dy, dx, _geometry_of(cache.window))
    return dx


def global_avgpool2d_forward(x):
    """The mean of each channel over the image: x (N, H, W, C) -> y (N, C)."""
    y = np.empty((len(x), x.shape[3]), x.dtype)
    _global_mean(BLOCKS, x.reshape(len(x), -1, x.shape[3]), y)
    return y, GlobalAvgPool2DCache(x.shape, x.dtype)


def global_avgpool2d_backward(dy, cache):
    """Every pixel gets dy / (H·W): dy (N, C) -> dx (N, H, W, C)."""
    _, height, width, _ = cache.x_shape
    dx = memory.empty(cache.x_shape, cache.dtype)
    dx[...] = (dy / (height * width))[:, None, None]
    return dx


class Geometry(NamedTuple):
    """The window, for the kernels."""

    height: int
    width: int
    down: int  # the stride
    across: int
    top: int  # the padding
    left: int


def _geometry_of(window):
    """The window as plain numbers."""
    (height, width), (down, across) = window.size, window.stride
    (top, _), (left, _) = window.padding
    return Geometry(height, width, down, across, top, left)


@worker
def _keep_first(pixel, here, best, place):
    """The first pixel of a window is the best so far."""
    for c in range(best.size):
        best[c] = pixel[c]
        place[c] = here


@worker
def _keep_greater(pixel, here, best, place):
    """Let a pixel replace the best so far, channel by channel, where it is greater.

    NaN counts as greater than all, and no comparison beats it. The place is chosen by a mask, all
    ones where the pixel wins: for AVX2, LLVM would make a branch of a choice between bytes, and
    half of the branches would be guessed wrong.
    """
    for c in range(best.size):
        value, greatest, before = pixel[c], best[c], place[c]
        wins = (not value <= greatest) & (greatest == greatest)
        mask = place.dtype.type(0) - place.dtype.type(wins)
        place[c] = before ^ ((before ^ here) & mask)
        best[c] = value if wins else greatest


@parallel
def _maxpool(block, x, y, argmax, window):
    """Output rows start to stop, counted over all images."""
    start, stop = block_of(block, y.shape[0] * y.shape[1])
    _, height, width, _ = x.shape
    for row in range(start, stop):
        n, p = row // y.shape[1], row % y.shape[1]
        for q in range(y.shape[2]):
            best, place = y[n, p, q], argmax[n, p, q]
            empty = True
            for i in range(window.height):
                h = p * window.down - window.top + i
                for j in range(window.width):
                    v = q * window.across - window.left + j
                    if not (0 <= h < height and 0 <= v < width):
                        continue
                    pixel, here = x[n, h, v], argmax.dtype.type(i * window.width + j)
                    if empty:
                        _keep_first(pixel, here, best, place)
                        empty = False
                    else:
                        _keep_greater(pixel, here, best, place)


@parallel
def _maxpool_gradient(block, dy, argmax, dx, window):
    """dx of images start to stop: each pixel of a window adds what it won there."""
    start, stop = block_of(block, dy.shape[0])
    _, height, width, channels = dx.shape
    for n in range(start, stop):
        dx[n] = 0
        for p in range(dy.shape[1]):
            h0, h1 = _inside(p, window.down, window.top, window.height, height)
            for q in range(dy.shape[2]):
                v0, v1 = _inside(q, window.across, window.left, window.width, width)
                gradient, place = dy[n, p, q], argmax[n, p, q]
                for h in range(h0, h1):
                    for v in range(v0, v1):
                        i = h - p * window.down + window.top
                        j = v - q * window.across + window.left
                        here = argmax.dtype.type(i * window.width + j)
                        pixel = dx[n, h, v]
                        for c in range(channels):
                            pixel[c] += gradient[c] if place[c] == here else dx.dtype.type(0)


@worker
def _inside(place, stride, before, size, length):
    """First pixel of a window that lies inside the image, and the one after the last."""
    start = place * stride - before
    return max(start, 0), min(start + size, length)


@parallel
def _avgpool(block, x, y, window):
    start, stop = block_of(block, x.shape[0])
    sums = np.empty(x.shape[3], np.float64)
    for n in range(start, stop):
        for p in range(y.shape[1]):
            h0, h1 = _inside(p, window.down, window.top, window.height, x.shape[1])
            for q in range(y.shape[2]):
                v0, v1 = _inside(q, window.across, window.left, window.width, x.shape[2])
                sums[:] = 0
                for h in range(h0, h1):
                    for v in range(v0, v1):
                        for c in range(x.shape[3]):
                            sums[c] += x[n, h, v, c]
                for c in range(x.shape[3]):
                    y[n, p, q, c] = sums[c] / ((h1 - h0) * (v1 - v0))


@parallel
def _avgpool_gradient(block, dy, dx, window):
    start, stop = block_of(block, dy.shape[0])
    for n in range(start, stop):
        dx[n] = 0
        for p in range(dy.shape[1]):
            h0, h1 = _inside(p, window.down, window.top, window.height, dx.shape[1])
            for q in range(dy.shape[2]):
                v0, v1 = _inside(q, window.across, window.left, window.width, dx.shape[2])
                for h in range(h0, h1):
                    for v in range(v0, v1):
                        for c in range(dx.shape[3]):
                            dx[n, h, v, c] += dy[n, p, q, c] / ((h1 - h0) * (v1 - v0))


@parallel
def _global_mean(block, pixels, y):
    start, stop = block_of(block, pixels.shape[0])
    sums = np.empty(pixels.shape[2], np.float64)
    for n in range(start, stop):
        sums[:] = 0
        for pixel in range(pixels.shape[1]):
            for c in range(pixels.shape[2]):
                sums[c] += pixels[n, pixel, c]
        for c in range(pixels.shape[2]):
            y[n, c] = sums[c] / pixels.shape[1]
