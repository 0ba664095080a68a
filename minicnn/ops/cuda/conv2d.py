"""Convolution: the naive kernels, one thread a result, and which algorithm suits a shape.

x̄ is x with its padding of zeros, s the stride: (down, across). (h, v) is a pixel of x, (p, q) an
output and its window, (i, j) a place in the window. In a kernel an array is flat: x[n, h, v, c] is
``x[((n * H + h) * W + v) * C + c]``.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import SimpleNamespace

import numpy as np

from minicnn.ops.conv2d import Conv2DCache
from minicnn.ops.cuda import direct, implicit, tensorcore, winograd
from minicnn.ops.cuda.array import empty
from minicnn.ops.cuda.compile import cuda, device_function, kernel, uint32
from minicnn.ops.cuda.device import device
from minicnn.ops.cuda.sums import column_sums

THREADS = 256

MOST_NUMBERS = 2**32
"""Of an image: its places are divided in 32 bits."""


# -- one thread a result --------------------------------------------------------------------------


# y[n, p, q, k] = b[k] + Σ over i, j, c of x̄[n, p·s + i, q·s + j, c] · w[i, j, c, k]


def naive_forward(x, w, b, window):
    """y = x * w + b: x (N, H, W, C), w (KH, KW, C, K), b (K,) or None -> y (N, OH, OW, K)."""
    y = empty(Conv2DCache(x, w, b is not None, window).y_shape, x.dtype)
    grid, blocks = blocks_for(y.shape)
    bias = w if b is None else b  # some pointer: has_bias tells whether it is read
    convolve[grid](
        x, w, bias, y, int(b is not None), blocks, *_sizes(x.shape, w.shape, window)
    )
    return y


@kernel(threads=THREADS)
def convolve(
    x, w, b, y, has_bias, blocks, H, W, C, OH, OW, K, KH, KW, down, across, top, left
):
    """A thread computes one number of y."""
    zero = x.dtype.type(0)
    n, place = _image_and_place(blocks)
    p, q, k = _row_column_channel(place, OW, K)
    if p >= OH:
        return
    total = b[k] if has_bias else zero
    for i in range(KH):
        for j in range(KW):
            h, v = p * down + i - top, q * across + j - left
            inside = 0 <= h < H and 0 <= v < W
            for c in range(C):
                # padding is a factor like any other: 0 · w is NaN where w is infinite
                pixel = x[((n * H + h) * W + v) * C + c] if inside else zero
                total += pixel * w[((i * KW + j) * C + c) * K + k]
    y[((n * OH + p) * OW + q) * K + k] = total


# dx[n, h, v, c] = Σ of dy[n, p, q, k] · w[i, j, c, k] where p·s + i = h + top, q·s + j = v + left


def naive_input_gradient(dy, w, window, x_shape):
    """dy (N, OH, OW, K), w (KH, KW, C, K) -> dx (N, H, W, C)."""
    dx = empty(x_shape, dy.dtype)
    grid, blocks = blocks_for(x_shape)
    gather[grid](dy, w, dx, blocks, *_sizes(x_shape, w.shape, window))
    return dx


@kernel(threads=THREADS)
def gather(dy, w, dx, blocks, H, W, C, OH, OW, K, KH, KW, down, across, top, left):
    """A thread computes one number of dx, of all outputs that the pixel went into."""
    total = dy.dtype.type(0)
    n, place = _image_and_place(blocks)
    h, v, c = _row_column_channel(place, W, C)
    if h >= H:
        return
    # the pixel lies under place i of window p, under place i + s of the window above, ...
    p, i = _divided(h + top, down)
    while i < KH:
        q, j = _divided(v + left, across)
        while j < KW:
            if 0 <= p < OH and 0 <= q < OW:
                for k in range(K):
                    gradient = dy[((n * OH + p) * OW + q) * K + k]
                    total += gradient * w[((i * KW + j) * C + c) * K + k]
            q, j = q - 1, j + across
        p, i = p - 1, i + down
    dx[((n * H + h) * W + v) * C + c] = total


# dw[i, j, c, k] = Σ over n, p, q of x̄[n, p·s + i, q·s + j, c] · dy[n, p, q, k]


def naive_weight_gradient(x, dy, window, w_shape):
    """x (N, H, W, C), dy (N, OH, OW, K) -> dw (KH, KW, C, K)."""
    dw = empty(w_shape, dy.dtype)
    grid, blocks = blocks_for((1, *w_shape))
    sizes = np.int64(x.shape[0]), *_sizes(x.shape, w_shape, window)
    correlate[grid](x, dy, dw, blocks, *sizes)
    return dw


@kernel(threads=THREADS)
def correlate(x, dy, dw, blocks, N, H, W, C, OH, OW, K, KH, KW, down, across, top, left):
    """A thread computes one number of dw, over all images."""
    zero = x.dtype.type(0)
    _, place = _image_and_place(blocks)
    tap, c, k = _row_column_channel(place, C, K)
    i, j = _divided(tap, KW)
    if i >= KH:
        return
    # sums of rows, then of images: a sum of a million terms one by one would lose digits
    total = zero
    for n in range(N):
        image = zero
        for p in range(OH):
            row = zero
            for q in range(OW):
                h, v = p * down + i - top, q * across + j - left
                inside = 0 <= h < H and 0 <= v < W
                pixel = x[((n * H + h) * W + v) * C + c] if inside else zero
                row += pixel * dy[((n * OH + p) * OW + q) * K + k]
            image += row
        total += image
    dw[place] = total


def _sizes(x_shape, w_shape, window):
    """H, W, C, OH, OW, K, KH, KW, down, across, top, left: signed, for pixels outside the image."""
    (_, height, width, channels), filters = x_shape, w_shape[3]
    (top, _), (left, _) = window.padding
    sizes = (
        height, width, channels, *window.output_size(height, width), filters,
        *window.size, *window.stride, top, left,
    )
    return tuple(map(np.int64, sizes))


def blocks_for(shape):
    """The grid for a thread a number of images (N, ...), and its blocks an image."""
    count, *image = shape
    if math.prod(image) > MOST_NUMBERS:
        raise OverflowError(
            f"conv2d: expected at most {MOST_NUMBERS:,} numbers an image, got {tuple(image)}"
        )
    blocks = -(-math.prod(image) // THREADS)
    return count * blocks, blocks


@device_function
def _image_and_place(blocks):
    """n, and the place of this thread's number in image n."""
    n, block = _divided(cuda.blockIdx.x, blocks)
    return n, block * THREADS + cuda.threadIdx.x


@device_function
def _row_column_channel(place, width, channels):
    """(h, v, c) of a place in an image (H, W, C)."""
    pixel, channel = _divided(place, channels)
    row, column = _divided(pixel, width)
    return row, column, channel


@device_function
def _divided(number, by):
    """Quotient and remainder, of 32 bits: a division of 64 takes a hundred instructions."""
    quotient = np.int64(uint32(uint32(number) // uint32(by)))
    return quotient, np.int64(number) - quotient * np.int64(by)


# -- which algorithm ------------------------------------------------------------------------------

ALGORITHMS = {
    "direct": direct,
    "winograd": winograd,
    "implicit": implicit,
    "naive": SimpleNamespace(
        forward=naive_forward,
        input_gradient=naive_input_gradient,
        weight_gradient=naive_weight_gradient,
    ),
}
"""Each has `forward`, `input_gradient` and `weight_gradient`."""

TF32_WITH = ("auto", "implicit")
"""Winograd's transforms would multiply the error of TF32 by hundreds."""

WINOGRAD_CHANNELS = 32
"""From so many channels and filters on Winograd saves more arithmetic than it costs memory."""

_asked_for = ContextVar("the algorithm of convolutions, and tf32", default=("auto", False))


def conv2d_forward(x, w, b, window):
    """y = x * w + b: x (N, H, W, C), w (KH, KW, C, K), b (K,) or None -> y (N, OH, OW, K)."""
    cache = Conv2DCache(x, w, b is not None, window)
    return _algorithm_for(cache).forward(x, w, b, window), cache


def conv2d_backward(dy, cache):
    """dy (N, OH, OW, K) -> dx (N, H, W, C), dw (KH, KW, C, K), db (K,) or None."""
    return conv2d_input_gradient(dy, cache), *conv2d_weight_gradients(dy, cache)


def conv2d_input_gradient(dy, cache):
    """dy (N, OH, OW, K) -> dx (N, H, W, C)."""
    return _algorithm_for(cache).input_gradient(dy, cache.w, cache.window, cache.x.shape)


def conv2d_weight_gradients(dy, cache):
    """dy (N, OH, OW, K) -> dw (KH, KW, C, K), db (K,) or None."""
    dw = _algorithm_for(cache).weight_gradient(cache.x, dy, cache.window, cache.w.shape)
    db = column_sums(dy.reshape(-1, dy.shape[3])) if cache.has_bias else None
    return dw, db


def fastest(x_shape, w_shape, window):
    """The name of the fastest algorithm for x (N, H, W, C) and w (KH, KW, C, K)."""
    if direct.fits(w_shape, window):
        return "direct"
    if _is_for_winograd(window) and min(w_shape[2:]) >= WINOGRAD_CHANNELS:
        rows, columns = window.output_size(*x_shape[1:3])
        tiles = -(-rows // 4) * -(-columns // 4)  # partly empty where the image is small
        if 9 * rows * columns >= 2 * 36 * tiles:  # at most half the multiplications
            return "winograd"
    return "implicit"


@contextmanager
def convolutions(algorithm: str, *, tf32: bool = False) -> Iterator[None]:
    """Within the block, compute every convolution of this backend by one algorithm.

    Forward and backward choose each for itself, so that both belong into the block. The results
    differ in their last digits only, unless `tf32` is asked for.

    Parameters
    ----------
    algorithm : {"auto", "direct", "winograd", "implicit", "naive"}
        ``"direct"`` is for few channels, ``"winograd"`` for 3×3 filters at stride 1,
        ``"implicit"`` for any shape, ``"naive"`` too, but to learn from: it is slow. ``"auto"``,
        the default outside such a block, takes the fastest.
    tf32 : bool, default False
        With ``"auto"`` or ``"implicit"``: compute on tensor cores what fits them, which is float32
        with channels and filters divisible by 4, on GPUs from compute capability 8.0 on. Factors
        keep 10 bits of their fraction. Results are off by 3e-4 (root mean square, relative, of
        random arrays against float64; 1e-7 without), so this is for comparing speeds and
        trainings, not for gradient checks.

    Raises
    ------
    ValueError
        For another name, or one that does not go with `tf32`; and from a convolution in the block
        whose shape the algorithm does not suit.
    """
    if algorithm not in ("auto", *ALGORITHMS):
        raise ValueError(
            f"convolutions: expected one of auto, {', '.join(ALGORITHMS)}, got {algorithm!r}"
        )
    if tf32 and algorithm not in TF32_WITH:
        raise ValueError(
            f"convolutions: tf32 goes with one of {', '.join(TF32_WITH)}, got {algorithm!r}"
        )
    before = _asked_for.set((algorithm, tf32))
    try:
        yield
    finally:
        _asked_for.reset(before)


def _algorithm_for(cache):
    """The algorithm that was asked for, or else the fastest for the shape."""
    (name, tf32), w_shape, window = _asked_for.get(), cache.w.shape, cache.window
    if tf32 and tensorcore.fits(cache.x.dtype, w_shape, device().capability):
        return tensorcore
    if name == "direct" and not direct.fits(w_shape, window):
        raise ValueError(
            "conv2d: algorithm 'direct' needs few channels, a small window and filters divisible "
            f"by 4, got w {w_shape} at stride {window.stride}"
        )
    if name == "winograd" and not _is_for_winograd(window):
        raise ValueError(
            "conv2d: algorithm 'winograd' needs 3×3 filters at stride 1, "
            f"got {window.size} at {window.stride}"
        )
    return ALGORITHMS[fastest(cache.x.shape, w_shape, window) if name == "auto" else name]


def _is_for_winograd(window):
    return (window.size, window.stride) == ((3, 3), (1, 1))
