"""Maximum and average pooling: a thread owns one place of an image, and some channels there.

Forward, the place is an output and the thread looks at its window. Backward it is a pixel of dx,
and the thread adds up what the windows over it send: a gather, in a fixed order, where a scatter
would need atomic additions. Windows of 2 × 2 that move by 2 have kernels of their own: all four
loads are under way at once, and backward a thread owns a window, so that dy is read once.

A thread does for every image, one after the other, what it does for the first; so it finds its
place once. The kernels are in `pool2d_max` and `pool2d_mean`.
"""

import math

from minicnn.ops.cuda.array import empty
from minicnn.ops.cuda.device import device
from minicnn.ops.cuda.pool2d_max import (
    maxpool_gradient_kernel,
    maxpool_kernel,
    maxpool_two_gradient_kernel,
    maxpool_two_kernel,
)
from minicnn.ops.cuda.pool2d_mean import (
    avgpool_gradient_kernel,
    avgpool_kernel,
    global_mean_gradient_kernel,
    global_mean_kernel,
)
from minicnn.ops.cuda.rows import THREADS, lanes_of
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
        maxpool_two_kernel(lanes)[_grid(y.shape, lanes)](x, y, argmax, *numbers)
    else:
        maxpool_kernel(lanes)[_grid(y.shape, lanes)](x, y, argmax, *numbers, *_geometry_of(window))
    return y, MaxPool2DCache(argmax, window, x.shape, x.dtype)


def maxpool2d_backward(dy, cache):
    """Each dy (N, OH, OW, C) goes to the pixel of dx (N, H, W, C) that won; overlaps add up."""
    dx = empty(cache.x_shape, cache.dtype)
    lanes, numbers = lanes_of(dx.shape[3], dx.dtype), _sizes(dx.shape, dy.shape)
    if _is_two_by_two(cache.window):
        count, height, width, channels = dx.shape
        corners = count, (height + 1) // 2, (width + 1) // 2, channels  # those of rims as well
        maxpool_two_gradient_kernel(lanes)[_grid(corners, lanes)](dy, cache.argmax, dx, *numbers)
    else:
        maxpool_gradient_kernel(lanes)[_grid(dx.shape, lanes)](
            dy, cache.argmax, dx, *numbers, *_geometry_of(cache.window)
        )
    return dx


def avgpool2d_forward(x, window):
    """The mean of each window's pixels in the image: x (N, H, W, C) -> y (N, OH, OW, C)."""
    cache = AvgPool2DCache(window, x.shape, x.dtype)
    y = empty(cache.y_shape, x.dtype)
    lanes = lanes_of(x.shape[3], x.dtype)
    avgpool_kernel(lanes)[_grid(y.shape, lanes)](
        x, y, *_sizes(x.shape, y.shape), *_geometry_of(window)
    )
    return y, cache


def avgpool2d_backward(dy, cache):
    """Each pixel under a window of m pixels gets dy / m: dy (N, OH, OW, C) -> dx (N, H, W, C)."""
    dx = empty(cache.x_shape, cache.dtype)
    lanes = lanes_of(dx.shape[3], dx.dtype)
    avgpool_gradient_kernel(lanes)[_grid(dx.shape, lanes)](
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
    global_mean_kernel(lanes)[strips, _images_at_once(count, strips)](
        x, y, count, height * width, channels, strip
    )
    return y, GlobalAvgPool2DCache(x.shape, x.dtype)


def global_avgpool2d_backward(dy, cache):
    """Every pixel gets dy / (H·W): dy (N, C) -> dx (N, H, W, C)."""
    dx = empty(cache.x_shape, cache.dtype)
    count, height, width, *_, channels = _sizes(dx.shape, dx.shape)
    lanes = lanes_of(channels, dx.dtype)
    global_mean_gradient_kernel(lanes)[_grid(dx.shape, lanes)](
        dy, dx, count, height * width, channels
    )
    return dx


_MOST_DOWN = 65535
"""Blocks along a grid's second axis, at most."""


def _grid(shape, lanes):
    """Blocks for the places of an image, and how many images are worked on at once."""
    count, height, width, channels = shape
    across = -(-height * width * channels // (lanes * THREADS))
    return across, _images_at_once(count, across)


def _images_at_once(count, across):
    """How many images are worked on at once, each by so many blocks; all blocks have as many."""
    wanted = -(-_BLOCKS * device().multiprocessors // across)
    images_each = -(-count // min(count, wanted, _MOST_DOWN))
    return -(-count // images_each)


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
