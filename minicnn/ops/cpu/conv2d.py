"""Convolution: which algorithm suits a shape, and what all of them have in common."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

from minicnn.ops.conv2d import Conv2DCache
from minicnn.ops.cpu import conv2d_direct, conv2d_im2col, conv2d_winograd
from minicnn.ops.cpu.linalg import memory

ALGORITHMS = {"direct": conv2d_direct, "im2col": conv2d_im2col, "winograd": conv2d_winograd}
"""Each has `convolve`, `input_gradient` and `weight_gradients`."""

WINOGRAD_CHANNELS = 8
"""From so many channels and filters on Winograd's transforms pay for themselves."""

_asked_for = ContextVar("the algorithm of convolutions", default="auto")


def conv2d_forward(x, w, b, window):
    """y = x * w + b: x (N, H, W, C), w (KH, KW, C, K), b (K,) or None -> y (N, OH, OW, K)."""
    cache = Conv2DCache(x, w, b is not None, window)
    bias = np.zeros(w.shape[3], x.dtype) if b is None else b
    y = memory.empty(cache.y_shape, x.dtype)
    _algorithm_for(cache).convolve(cache, bias, y)
    return y, cache


def conv2d_backward(dy, cache):
    """dy (N, OH, OW, K) -> dx (N, H, W, C), dw (KH, KW, C, K), db (K,) or None."""
    return conv2d_input_gradient(dy, cache), *conv2d_weight_gradients(dy, cache)


def conv2d_input_gradient(dy, cache):
    """dy (N, OH, OW, K) -> dx (N, H, W, C)."""
    return _algorithm_for(cache).input_gradient(cache, dy)


def conv2d_weight_gradients(dy, cache):
    """dy (N, OH, OW, K) -> dw (KH, KW, C, K), db (K,) or None."""
    return _algorithm_for(cache).weight_gradients(cache, dy)


@contextmanager
def convolutions(algorithm: str) -> Iterator[None]:
    """Within the block, compute every convolution of this backend by one algorithm.

    Forward and backward choose each for itself, so that both belong into the block. The results
    differ in their last digits only.

    Parameters
    ----------
    algorithm : {"auto", "direct", "im2col", "winograd"}
        ``"direct"`` is for images with one channel, ``"im2col"`` for any shape, ``"winograd"`` for
        3×3 filters at stride 1. ``"auto"``, the default outside such a block, takes the fastest.

    Raises
    ------
    ValueError
        For another name; and from a convolution in the block whose shape the algorithm does not
        suit.

    Examples
    --------
    >>> import numpy as np
    >>> from minicnn.ops import cpu
    >>> x, w = np.ones((1, 6, 6, 1)), np.ones((3, 3, 1, 2))
    >>> with cpu.convolutions("im2col"):
    ...     y, cache = cpu.conv2d_forward(x, w)
    >>> y[0, 0, 0]
    array([9., 9.])
    """
    if algorithm not in ("auto", *ALGORITHMS):
        raise ValueError(
            f"convolutions: expected one of auto, {', '.join(ALGORITHMS)}, got {algorithm!r}"
        )
    before = _asked_for.set(algorithm)
    try:
        yield
    finally:
        _asked_for.reset(before)


def _algorithm_for(cache: Conv2DCache):
    """The algorithm that was asked for, or else the fastest for the shape."""
    name, channels = _asked_for.get(), cache.w.shape[2:]
    square = (cache.window.size, cache.window.stride) == ((3, 3), (1, 1))
    if name == "direct" and channels[0] != 1:
        raise ValueError(
            f"conv2d: algorithm 'direct' needs images with one channel, got {cache.x.shape}"
        )
    if name == "winograd" and not square:
        raise ValueError(
            "conv2d: algorithm 'winograd' needs 3×3 filters at stride 1, "
            f"got {cache.window.size} at {cache.window.stride}"
        )
    if name == "auto":
        if square and min(channels) >= WINOGRAD_CHANNELS:
            return conv2d_winograd
        return conv2d_direct if channels[0] == 1 else conv2d_im2col
    return ALGORITHMS[name]
