"""Two-dimensional convolution as the equations read."""

from typing import Any

import numpy as np

from minicnn.ops import arguments
from minicnn.ops.caches import Conv2DCache
from minicnn.ops.window import Window


def conv2d_forward(
    x: Any, w: Any, b: Any = None, *, stride: Any = 1, padding: Any = 0, algorithm: str = "auto"
) -> tuple[np.ndarray, Conv2DCache]:
    """Slide K filters over images (a cross-correlation, as every framework's "convolution" is).

    ``y[n, p, q, k] = b[k] + sum over i, j, c of x̄[n, p·s + i, q·s + j, c] · w[i, j, c, k]``,
    where ``x̄`` is x with its padding of zeros and s the stride (Goodfellow, Bengio and Courville
    2016, *Deep Learning*, equation 9.6).

    Parameters
    ----------
    x : array_like (N, H, W, C)
        Images, channels last.
    w : array_like (KH, KW, C, K)
        Filters.
    b : array_like (K,), optional
        Biases.
    stride : int or (int, int), default 1
        Pixels between neighbouring windows, down and to the right.
    padding : int, (int, int), ((top, bottom), (left, right)), "same" or "valid", default 0
        Zeros around the image. ``"same"`` gives ``ceil(H / stride)`` rows, the odd row of padding
        at the bottom; ``"valid"`` is 0.
    algorithm : {"auto", "direct", "im2col", "winograd"}, default "auto"
        How the cpu backend computes it, and its backward: ``"direct"`` for images with one channel,
        ``"im2col"`` for any shape, ``"winograd"`` for 3×3 filters at stride 1; ``"auto"`` takes the
        fastest. The reference has one way, the formula's.

    Returns
    -------
    y : ndarray (N, OH, OW, K)
        float64 if an input is a wider float than float32, else float32;
        ``OH = (H + top + bottom - KH) // stride + 1``, OW alike.
    cache : Conv2DCache
        For `conv2d_backward`.

    Raises
    ------
    TypeError
        Where an input does not hold real numbers, or a stride or padding no integers.
    ValueError
        Where an input is empty, shapes do not agree, stride or padding is out of range, the window
        does not fit into the padded image, or the algorithm does not suit the shape.
    """
    x, w, b, window = arguments.conv2d(x, w, b, stride, padding, algorithm)
    cache = Conv2DCache(x, w, b is not None, window, algorithm)
    padded = _pad(x, window)
    y = np.zeros(cache.y_shape, x.dtype)
    for i, j in np.ndindex(window.size):
        # y (N, OH, OW, K) += x̄[.., p·s + i, q·s + j, ..] (N, OH, OW, C) @ w[i, j] (C, K)
        y += padded[_under(i, j, window, y.shape)] @ w[i, j]
    if b is not None:
        y += b
    return y, cache


def conv2d_backward(
    dy: Any, cache: Conv2DCache, *, input_gradient: bool = True
) -> tuple[np.ndarray | None, np.ndarray, np.ndarray | None]:
    """Gradients of a convolution.

    Each product of the forward sum hands its two factors on: ``dx̄[n, p·s + i, q·s + j, c]`` gains
    ``dy[n, p, q, k] · w[i, j, c, k]``, and ``dw[i, j, c, k]`` gains ``dy[n, p, q, k] ·
    x̄[n, p·s + i, q·s + j, c]`` (Dumoulin and Visin 2016, arXiv:1603.07285, section 4).

    Parameters
    ----------
    dy : array_like (N, OH, OW, K)
        Gradient of the loss with respect to y.
    cache : Conv2DCache
        From `conv2d_forward`.
    input_gradient : bool, default True
        Whether dx is needed; a network's first layer can do without.

    Returns
    -------
    dx : ndarray (N, H, W, C), y's dtype, or None where it is not needed
    dw : ndarray (KH, KW, C, K), y's dtype
    db : ndarray (K,), y's dtype, or None where forward had no b

    Raises
    ------
    TypeError
        Where dy does not hold real numbers, or the cache is another operation's.
    ValueError
        Where dy has not y's shape.
    """
    cache = arguments.cache_of("conv2d_backward", cache, Conv2DCache)
    x, w, window = cache.x, cache.w, cache.window
    dy = arguments.upstream("conv2d_backward", dy, cache.y_shape, x.dtype)
    padded = _pad(x, window)
    dpadded = np.zeros_like(padded)
    dw = np.empty_like(w)
    for i, j in np.ndindex(window.size):
        under = _under(i, j, window, dy.shape)
        if input_gradient:
            # dx̄ (N, OH, OW, C) += dy (N, OH, OW, K) @ w[i, j]ᵀ (K, C)
            dpadded[under] += dy @ w[i, j].T
        # dw[i, j] (C, K) = x̄ᵀ dy, summed over n, p, q
        dw[i, j] = np.tensordot(padded[under], dy, axes=([0, 1, 2], [0, 1, 2]))
    (top, _), (left, _) = window.padding
    inside = dpadded[:, top : top + x.shape[1], left : left + x.shape[2]]
    dx = inside.copy() if input_gradient else None
    db = dy.sum((0, 1, 2), dtype=np.float64).astype(x.dtype) if cache.has_bias else None
    return dx, dw, db


def _pad(x: np.ndarray, window: Window) -> np.ndarray:
    """x̄: x (N, H, W, C) with its padding of zeros."""
    return np.pad(x, ((0, 0), *window.padding, (0, 0)))


def _under(i: int, j: int, window: Window, y_shape: tuple[int, ...]) -> tuple[slice, ...]:
    """The pixels of x̄ that lie under place (i, j) of the window, for every output place."""
    (down, across), (_, rows, columns, _) = window.stride, y_shape
    return (
        slice(None),
        slice(i, i + (rows - 1) * down + 1, down),
        slice(j, j + (columns - 1) * across + 1, across),
    )
