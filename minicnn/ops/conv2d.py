"""Two-dimensional convolution."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from minicnn.ops import arguments
from minicnn.ops.backend import bodies, operation
from minicnn.ops.window import Window, resolve_window


@dataclass(frozen=True, slots=True, eq=False)
class Conv2DCache:
    """What `conv2d_forward` keeps: x (N, H, W, C), w (KH, KW, C, K), the window, if it had b."""

    x: np.ndarray
    w: np.ndarray
    has_bias: bool
    window: Window

    @property
    def y_shape(self) -> tuple[int, ...]:
        """(N, OH, OW, K)."""
        count, height, width, _ = self.x.shape
        return (count, *self.window.output_size(height, width), self.w.shape[3])

    @property
    def dtype(self) -> np.dtype:
        """Of y."""
        return self.x.dtype


@operation
def conv2d_forward(
    x: Any, w: Any, b: Any = None, *, stride: Any = 1, padding: Any = 0
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
        Where an input is empty, shapes do not agree, stride or padding is out of range, or the
        window does not fit into the padded image.
    """
    x, w, b = arguments.floats("conv2d", optional=("b",), x=x, w=w, b=b)
    arguments.ndim("conv2d", "x", x, "(N, H, W, C)")
    arguments.ndim("conv2d", "w", w, "(KH, KW, C, K)")
    if x.shape[3] != w.shape[2]:
        raise ValueError(
            f"conv2d: x has {x.shape[3]} channels but w expects {w.shape[2]} "
            f"(x {x.shape}, w {w.shape})"
        )
    arguments.vector("conv2d", "b", b, w.shape[3], "one bias a filter")
    window = resolve_window("conv2d", w.shape[:2], stride, padding, x.shape[1:3])
    return bodies().conv2d_forward(x, w, b, window)


@operation
def conv2d_backward(
    dy: Any, cache: Conv2DCache
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
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

    Returns
    -------
    dx : ndarray (N, H, W, C), y's dtype
    dw : ndarray (KH, KW, C, K), y's dtype
    db : ndarray (K,), y's dtype, or None where forward had no b

    Raises
    ------
    TypeError
        Where dy does not hold real numbers, or the cache is another operation's.
    ValueError
        Where dy has not y's shape.
    """
    dy, cache = arguments.upstream("conv2d_backward", dy, cache, Conv2DCache)
    return bodies().conv2d_backward(dy, cache)


@operation
def conv2d_input_gradient(dy: Any, cache: Conv2DCache) -> np.ndarray:
    """The first gradient of `conv2d_backward` alone, which kernel writers call backward data.

    Parameters
    ----------
    dy : array_like (N, OH, OW, K)
        Gradient of the loss with respect to y.
    cache : Conv2DCache
        From `conv2d_forward`.

    Returns
    -------
    dx : ndarray (N, H, W, C), y's dtype

    Raises
    ------
    TypeError, ValueError
        As `conv2d_backward`.
    """
    dy, cache = arguments.upstream("conv2d_input_gradient", dy, cache, Conv2DCache)
    return bodies().conv2d_input_gradient(dy, cache)


@operation
def conv2d_weight_gradients(
    dy: Any, cache: Conv2DCache
) -> tuple[np.ndarray, np.ndarray | None]:
    """The other gradients of `conv2d_backward` alone, which kernel writers call backward weights.

    The first layer of a network needs no more: nobody asks for the gradient of the images.

    Parameters
    ----------
    dy : array_like (N, OH, OW, K)
        Gradient of the loss with respect to y.
    cache : Conv2DCache
        From `conv2d_forward`.

    Returns
    -------
    dw : ndarray (KH, KW, C, K), y's dtype
    db : ndarray (K,), y's dtype, or None where forward had no b

    Raises
    ------
    TypeError, ValueError
        As `conv2d_backward`.
    """
    dy, cache = arguments.upstream("conv2d_weight_gradients", dy, cache, Conv2DCache)
    return bodies().conv2d_weight_gradients(dy, cache)
