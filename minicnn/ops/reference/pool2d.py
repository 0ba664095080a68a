"""Maximum and average pooling as the definitions read."""

from typing import Any

import numpy as np

from minicnn.ops import arguments
from minicnn.ops.caches import AvgPool2DCache, GlobalAvgPool2DCache, MaxPool2DCache


def maxpool2d_forward(
    x: Any, *, size: Any = 2, stride: Any = None, padding: Any = 0
) -> tuple[np.ndarray, MaxPool2DCache]:
    """The greatest value in each window.

    ``y[n, p, q, c] = max over i, j of x[n, p·s + i, q·s + j, c]``; padding never wins. A tie goes
    to the first position in row-major order; NaN wins over every number, as in `numpy.max`.

    Parameters
    ----------
    x : array_like (N, H, W, C)
        Images, channels last.
    size : int or (int, int), default 2
        Height and width of the window.
    stride : int or (int, int), optional
        Pixels between neighbouring windows; the window's size by default.
    padding : int, (int, int), ((top, bottom), (left, right)), "same" or "valid", default 0
        Rim around the image, smaller than the window.

    Returns
    -------
    y : ndarray (N, OH, OW, C)
        float64 if x is a wider float than float32, else float32;
        ``OH = (H + top + bottom - size) // stride + 1``, OW alike.
    cache : MaxPool2DCache
        For `maxpool2d_backward`.

    Raises
    ------
    TypeError
        Where x does not hold real numbers, or size, stride or padding no integers.
    ValueError
        Where x is empty or has other axes, size, stride or padding is out of range, or the window
        does not fit or could lie in padding alone.
    """
    x, window = arguments.pool2d("maxpool2d", x, size, stride, padding)
    count, height, width, channels = x.shape
    rows, columns = window.output_size(height, width)
    y = np.empty((count, rows, columns, channels), x.dtype)
    argmax = np.empty(y.shape, window.place_dtype)
    (top, _), (left, _) = window.padding
    for p, q in np.ndindex(rows, columns):
        down, across = window.covering(p, q, height, width)
        pixels = x[:, down, across].reshape(count, -1, channels)  # (N, pixels in reach, C)
        first = pixels.argmax(1)
        y[:, p, q] = np.take_along_axis(pixels, first[:, None], 1)[:, 0]
        # counted in the whole window, padding included: i·KW + j
        i, j = np.divmod(first, across.stop - across.start)
        i += down.start + top - p * window.stride[0]
        j += across.start + left - q * window.stride[1]
        argmax[:, p, q] = i * window.size[1] + j
    return y, MaxPool2DCache(argmax, window, x.shape, x.dtype)


def maxpool2d_backward(dy: Any, cache: MaxPool2DCache) -> np.ndarray:
    """Gradient of maximum pooling: each dy goes to the pixel that won; overlaps add up.

    Parameters
    ----------
    dy : array_like (N, OH, OW, C)
        Gradient of the loss with respect to y.
    cache : MaxPool2DCache
        From `maxpool2d_forward`.

    Returns
    -------
    dx : ndarray (N, H, W, C), y's dtype

    Raises
    ------
    TypeError
        Where dy does not hold real numbers, or the cache is another operation's.
    ValueError
        Where dy has not y's shape.
    """
    cache = arguments.cache_of("maxpool2d_backward", cache, MaxPool2DCache)
    dy = arguments.upstream("maxpool2d_backward", dy, cache.argmax.shape, cache.dtype)
    window = cache.window
    dx = np.zeros(cache.x_shape, cache.dtype)
    n, p, q, c = np.indices(dy.shape, sparse=True)
    i, j = np.divmod(cache.argmax, window.size[1])
    row = p * window.stride[0] - window.padding[0][0] + i
    column = q * window.stride[1] - window.padding[1][0] + j
    np.add.at(dx, (n, row, column, c), dy)
    return dx


def avgpool2d_forward(
    x: Any, *, size: Any = 2, stride: Any = None, padding: Any = 0
) -> tuple[np.ndarray, AvgPool2DCache]:
    """The mean of each window; padding is left out of the sum and of the count.

    ``y[n, p, q, c] = (1 / m) · sum over i, j of x[n, p·s + i, q·s + j, c]`` with m the number of
    the window's pixels that lie inside the image.

    Parameters
    ----------
    x : array_like (N, H, W, C)
        Images, channels last.
    size, stride, padding
        As for `maxpool2d_forward`, with the same defaults.

    Returns
    -------
    y : ndarray (N, OH, OW, C)
        float64 if x is a wider float than float32, else float32; OH and OW as for
        `maxpool2d_forward`.
    cache : AvgPool2DCache
        For `avgpool2d_backward`.

    Raises
    ------
    TypeError, ValueError
        As `maxpool2d_forward`.
    """
    x, window = arguments.pool2d("avgpool2d", x, size, stride, padding)
    cache = AvgPool2DCache(window, x.shape, x.dtype)
    y = np.empty(cache.y_shape, x.dtype)
    for p, q in np.ndindex(y.shape[1:3]):
        down, across = window.covering(p, q, *x.shape[1:3])
        y[:, p, q] = x[:, down, across].mean((1, 2), dtype=np.float64)
    return y, cache


def avgpool2d_backward(dy: Any, cache: AvgPool2DCache) -> np.ndarray:
    """Gradient of average pooling: each pixel of a window gets dy / m.

    Parameters
    ----------
    dy : array_like (N, OH, OW, C)
        Gradient of the loss with respect to y.
    cache : AvgPool2DCache
        From `avgpool2d_forward`.

    Returns
    -------
    dx : ndarray (N, H, W, C), y's dtype

    Raises
    ------
    TypeError
        Where dy does not hold real numbers, or the cache is another operation's.
    ValueError
        Where dy has not y's shape.
    """
    cache = arguments.cache_of("avgpool2d_backward", cache, AvgPool2DCache)
    dy = arguments.upstream("avgpool2d_backward", dy, cache.y_shape, cache.dtype)
    dx = np.zeros(cache.x_shape, cache.dtype)
    for p, q in np.ndindex(dy.shape[1:3]):
        down, across = cache.window.covering(p, q, *cache.x_shape[1:3])
        inside = (down.stop - down.start) * (across.stop - across.start)
        dx[:, down, across] += dy[:, p, q][:, None, None] / inside  # (N, 1, 1, C)
    return dx


def global_avgpool2d_forward(x: Any) -> tuple[np.ndarray, GlobalAvgPool2DCache]:
    """The mean of each channel over the whole image: ``y[n, c] = mean over h, w of x[n, h, w, c]``.

    Lin, Chen and Yan 2013, *Network in Network*, arXiv:1312.4400, section 3.2.

    Parameters
    ----------
    x : array_like (N, H, W, C)
        Images, channels last.

    Returns
    -------
    y : ndarray (N, C)
        float64 if x is a wider float than float32, else float32.
    cache : GlobalAvgPool2DCache
        For `global_avgpool2d_backward`.

    Raises
    ------
    TypeError, ValueError
        Where x does not hold real numbers, is empty, or has other axes.
    """
    (x,) = arguments.floats("global_avgpool2d", x=x)
    arguments.ndim("global_avgpool2d", "x", x, "(N, H, W, C)")
    y = x.mean((1, 2), dtype=np.float64).astype(x.dtype)
    return y, GlobalAvgPool2DCache(x.shape, x.dtype)


def global_avgpool2d_backward(dy: Any, cache: GlobalAvgPool2DCache) -> np.ndarray:
    """Gradient of the global mean: every pixel gets ``dy[n, c] / (H·W)``.

    Parameters
    ----------
    dy : array_like (N, C)
        Gradient of the loss with respect to y.
    cache : GlobalAvgPool2DCache
        From `global_avgpool2d_forward`.

    Returns
    -------
    dx : ndarray (N, H, W, C), y's dtype

    Raises
    ------
    TypeError
        Where dy does not hold real numbers, or the cache is another operation's.
    ValueError
        Where dy has not y's shape.
    """
    cache = arguments.cache_of("global_avgpool2d_backward", cache, GlobalAvgPool2DCache)
    count, height, width, channels = cache.x_shape
    dy = arguments.upstream("global_avgpool2d_backward", dy, (count, channels), cache.dtype)
    return np.broadcast_to((dy / (height * width))[:, None, None], cache.x_shape).copy()
