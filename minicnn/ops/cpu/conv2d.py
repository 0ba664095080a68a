"""Convolution: which algorithm suits a shape, and what all of them have in common."""

from types import ModuleType
from typing import Any

import numpy as np

from minicnn.ops import arguments
from minicnn.ops.caches import Conv2DCache
from minicnn.ops.cpu import conv2d_direct, conv2d_im2col, conv2d_winograd
from minicnn.ops.cpu.linalg import memory

ALGORITHMS = {"direct": conv2d_direct, "im2col": conv2d_im2col, "winograd": conv2d_winograd}
"""Each has `convolve`, `input_gradient` and `weight_gradients`."""

WINOGRAD_CHANNELS = 8
"""From so many channels and filters on Winograd's transforms pay for themselves."""


def conv2d_forward(
    x: Any, w: Any, b: Any = None, *, stride: Any = 1, padding: Any = 0, algorithm: str = "auto"
) -> tuple[np.ndarray, Conv2DCache]:
    """Arguments, results and errors as `minicnn.ops.conv2d_forward`.

    x (N, H, W, C), w (KH, KW, C, K), b (K,) or None -> y (N, OH, OW, K).
    """
    x, w, b, window = arguments.conv2d(x, w, b, stride, padding, algorithm)
    cache = Conv2DCache(x, w, b is not None, window, algorithm)
    bias = np.zeros(w.shape[3], x.dtype) if b is None else b
    y = memory.empty(cache.y_shape, x.dtype)
    algorithm_for(cache).convolve(cache, bias, y)
    return y, cache


def conv2d_backward(
    dy: Any, cache: Conv2DCache, *, input_gradient: bool = True
) -> tuple[np.ndarray | None, np.ndarray, np.ndarray | None]:
    """Arguments, results and errors as `minicnn.ops.conv2d_backward`.

    dy (N, OH, OW, K) -> dx (N, H, W, C) or None, dw (KH, KW, C, K), db (K,) or None.
    """
    cache = arguments.cache_of("conv2d_backward", cache, Conv2DCache)
    dy = arguments.upstream("conv2d_backward", dy, cache.y_shape, cache.x.dtype)
    algorithm = algorithm_for(cache)
    dx = algorithm.input_gradient(cache, dy) if input_gradient else None
    return dx, *algorithm.weight_gradients(cache, dy)


def algorithm_for(cache: Conv2DCache) -> ModuleType:
    """The algorithm that was asked for, or else the fastest for the shape."""
    if cache.algorithm != "auto":
        return ALGORITHMS[cache.algorithm]
    size, stride, channels = cache.window.size, cache.window.stride, cache.w.shape[2:]
    if size == (3, 3) and stride == (1, 1) and min(channels) >= WINOGRAD_CHANNELS:
        return conv2d_winograd
    return conv2d_direct if channels[0] == 1 else conv2d_im2col
