"""Maximum and average pooling."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from minicnn.ops import arguments
from minicnn.ops.backend import bodies, operation
from minicnn.ops.window import Window, resolve_window


@dataclass(frozen=True, slots=True, eq=False)
class MaxPool2DCache:
    """What `maxpool2d_forward` keeps: the place of each maximum, the window, x's shape.

    ``argmax`` (N, OH, OW, C), of `Window.place_dtype`, counts the window's pixels in row-major
    order, padding included.
    """

    argmax: np.ndarray
    window: Window
    x_shape: tuple[int, ...]
    dtype: np.dtype

    @property
    def y_shape(self) -> tuple[int, ...]:
        """(N, OH, OW, C)."""
        return self.argmax.shape


@operation
def maxpool2d_forward(
    x: Any, *, size: Any = 2, stride: Any = None, padding: Any = 0
) -> tuple[np.ndarray, MaxPool2DCache]:
    """The greatest value in each window.

    ``y[n, p, q, c] = max over i, j of x[n, p·s + i - top, q·s + j - left, c]``, over the pixels
    inside the image. A tie goes to the first position in row-major order; NaN wins over every
    number, as in `numpy.max`.

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
    return bodies().maxpool2d_forward(*_windowed("maxpool2d", x, size, stride, padding))


@operation
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
    dy, cache = arguments.upstream("maxpool2d_backward", dy, cache, MaxPool2DCache)
    return bodies().maxpool2d_backward(dy, cache)


@dataclass(frozen=True, slots=True, eq=False)
class AvgPool2DCache:
    """What `avgpool2d_forward` keeps: the window, x's shape (N, H, W, C) and its dtype."""

    window: Window
    x_shape: tuple[int, ...]
    dtype: np.dtype

    @property
    def y_shape(self) -> tuple[int, ...]:
        """(N, OH, OW, C)."""
        count, height, width, channels = self.x_shape
        return (count, *self.window.output_size(height, width), channels)


@operation
def avgpool2d_forward(
    x: Any, *, size: Any = 2, stride: Any = None, padding: Any = 0
) -> tuple[np.ndarray, AvgPool2DCache]:
    """The mean of each window; padding is left out of the sum and of the count.

    ``y[n, p, q, c] = (1 / m) · sum over i, j of x[n, p·s + i - top, q·s + j - left, c]``, over the
    m pixels of the window that lie inside the image.

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
    cache : AvgPool2DCache
        For `avgpool2d_backward`.

    Raises
    ------
    TypeError, ValueError
        As `maxpool2d_forward`.
    """
    return bodies().avgpool2d_forward(*_windowed("avgpool2d", x, size, stride, padding))


@operation
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
    dy, cache = arguments.upstream("avgpool2d_backward", dy, cache, AvgPool2DCache)
    return bodies().avgpool2d_backward(dy, cache)


@dataclass(frozen=True, slots=True, eq=False)
class GlobalAvgPool2DCache:
    """What `global_avgpool2d_forward` keeps: x's shape (N, H, W, C) and its dtype."""

    x_shape: tuple[int, ...]
    dtype: np.dtype

    @property
    def y_shape(self) -> tuple[int, ...]:
        """(N, C)."""
        return self.x_shape[0], self.x_shape[3]


@operation
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
    return bodies().global_avgpool2d_forward(x)


@operation
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
    dy, cache = arguments.upstream("global_avgpool2d_backward", dy, cache, GlobalAvgPool2DCache)
    return bodies().global_avgpool2d_backward(dy, cache)


def _windowed(
    name: str, x: Any, size: Any, stride: Any, padding: Any
) -> tuple[Any, Window]:
    """x as an array, and the window; a stride of None is the window's size."""
    (x,) = arguments.floats(name, x=x)
    arguments.ndim(name, "x", x, "(N, H, W, C)")
    stride = size if stride is None else stride
    return x, resolve_window(name, size, stride, padding, x.shape[1:3], cover=True)
