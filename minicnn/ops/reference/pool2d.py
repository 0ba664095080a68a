"""Maximum and average pooling: a window of KH × KW pixels moves by the stride s.

Pixel (i, j) of the window at output (p, q) is pixel (p·s + i - top, q·s + j - left) of x.
"""

import numpy as np

from minicnn.ops.pool2d import AvgPool2DCache, GlobalAvgPool2DCache, MaxPool2DCache


def maxpool2d_forward(x, window):
    """y[n, p, q, c] = max over i, j of x[n, p·s + i - top, q·s + j - left, c], inside the image.

    x (N, H, W, C) -> y (N, OH, OW, C). Of equal values the first counts; NaN counts as greatest.
    """
    count, height, width, channels = x.shape
    (top, _), (left, _) = window.padding
    y = np.empty((count, *window.output_size(height, width), channels), x.dtype)
    argmax = np.empty(y.shape, window.place_dtype)
    n, c = np.indices((count, channels), sparse=True)
    places = np.arange(np.prod(window.size)).reshape(window.size)  # place (i, j) is i·KW + j
    for p, q in np.ndindex(y.shape[1:3]):
        down, across = window.covering(p, q, height, width)
        pixels = x[:, down, across].reshape(count, -1, channels)  # (N, pixels inside the image, C)
        first = pixels.argmax(1)  # (N, C)
        y[:, p, q] = pixels[n, first, c]
        # its place in the whole window, of which these are inside the image
        i, j = top - p * window.stride[0], left - q * window.stride[1]
        inside = places[i + down.start : i + down.stop, j + across.start : j + across.stop]
        argmax[:, p, q] = inside.ravel()[first]
    return y, MaxPool2DCache(argmax, window, x.shape, x.dtype)


def maxpool2d_backward(dy, cache):
    """dx[n, p·s + i - top, q·s + j - left, c] += dy[n, p, q, c] at the place (i, j) of the maximum.

    dy (N, OH, OW, C) -> dx (N, H, W, C).
    """
    window = cache.window
    dx = np.zeros(cache.x_shape, cache.dtype)
    n, p, q, c = np.indices(dy.shape, sparse=True)
    i, j = np.divmod(cache.argmax, window.size[1])
    row = p * window.stride[0] - window.padding[0][0] + i
    column = q * window.stride[1] - window.padding[1][0] + j
    np.add.at(dx, (n, row, column, c), dy)
    return dx


def avgpool2d_forward(x, window):
    """y[n, p, q, c] = (1 / m) · Σ over i, j of x[n, p·s + i - top, q·s + j - left, c].

    x (N, H, W, C) -> y (N, OH, OW, C); m of the window's pixels lie inside the image.
    """
    cache = AvgPool2DCache(window, x.shape, x.dtype)
    y = np.empty(cache.y_shape, x.dtype)
    for p, q in np.ndindex(y.shape[1:3]):
        down, across = window.covering(p, q, *x.shape[1:3])
        y[:, p, q] = x[:, down, across].mean((1, 2), dtype=np.float64)
    return y, cache


def avgpool2d_backward(dy, cache):
    """dx[n, p·s + i - top, q·s + j - left, c] += dy[n, p, q, c] / m, for all i, j in the image.

    dy (N, OH, OW, C) -> dx (N, H, W, C); m of the window's pixels lie inside the image.
    """
    dx = np.zeros(cache.x_shape, cache.dtype)
    for p, q in np.ndindex(dy.shape[1:3]):
        down, across = cache.window.covering(p, q, *cache.x_shape[1:3])
        m = (down.stop - down.start) * (across.stop - across.start)
        dx[:, down, across] += dy[:, p, q][:, None, None] / m  # (N, 1, 1, C)
    return dx


def global_avgpool2d_forward(x):
    """y[n, c] = mean over h, w of x[n, h, w, c]: x (N, H, W, C) -> y (N, C)."""
    y = x.mean((1, 2), dtype=np.float64).astype(x.dtype)
    return y, GlobalAvgPool2DCache(x.shape, x.dtype)


def global_avgpool2d_backward(dy, cache):
    """dx[n, h, w, c] = dy[n, c] / (H·W): dy (N, C) -> dx (N, H, W, C)."""
    _, height, width, _ = cache.x_shape
    return np.broadcast_to((dy / (height * width))[:, None, None], cache.x_shape).copy()
