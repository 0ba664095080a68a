"""What a forward leaves for its backward: one small named object an operation.

A cache holds references to the arrays that forward was given or gave back, not copies of them:
whoever changes `x`, or ReLU's `y`, between forward and backward changes the gradient. All backends
use the same caches, so that one backend's backward can follow another's forward.
"""

from dataclasses import dataclass

import numpy as np

from minicnn.ops.window import Window


@dataclass(frozen=True, slots=True, eq=False)
class Conv2DCache:
    """Of `conv2d_forward`: x (N, H, W, C), w (KH, KW, C, K), whether there was a b, the window, and
    the algorithm that was asked for."""

    x: np.ndarray
    w: np.ndarray
    has_bias: bool
    window: Window
    algorithm: str

    @property
    def y_shape(self) -> tuple[int, ...]:
        """(N, OH, OW, K)."""
        count, height, width, _ = self.x.shape
        return (count, *self.window.output_size(height, width), self.w.shape[3])


@dataclass(frozen=True, slots=True, eq=False)
class MaxPool2DCache:
    """Of `maxpool2d_forward`: where in its window each maximum stood, the window, x's shape.

    ``argmax`` (N, OH, OW, C), of `Window.place_dtype`, counts the window's pixels in row-major
    order, padding included.
    """

    argmax: np.ndarray
    window: Window
    x_shape: tuple[int, ...]
    dtype: np.dtype


@dataclass(frozen=True, slots=True, eq=False)
class AvgPool2DCache:
    """Of `avgpool2d_forward`: the window, x's shape (N, H, W, C) and its dtype."""

    window: Window
    x_shape: tuple[int, ...]
    dtype: np.dtype

    @property
    def y_shape(self) -> tuple[int, ...]:
        """(N, OH, OW, C)."""
        count, height, width, channels = self.x_shape
        return (count, *self.window.output_size(height, width), channels)


@dataclass(frozen=True, slots=True, eq=False)
class GlobalAvgPool2DCache:
    """Of `global_avgpool2d_forward`: x's shape (N, H, W, C) and its dtype."""

    x_shape: tuple[int, ...]
    dtype: np.dtype


@dataclass(frozen=True, slots=True, eq=False)
class BatchNormCache:
    """Of `batchnorm_forward`: x (..., C), gamma (C,), and the statistics that normalised x.

    ``mean`` and ``inverse_std`` (C,), float64, are the batch's in training mode, the running ones
    otherwise.
    """

    x: np.ndarray
    gamma: np.ndarray
    mean: np.ndarray
    inverse_std: np.ndarray
    training: bool


@dataclass(frozen=True, slots=True, eq=False)
class DenseCache:
    """Of `dense_forward`: x (N, in), w (in, out), and whether there was a b."""

    x: np.ndarray
    w: np.ndarray
    has_bias: bool


@dataclass(frozen=True, slots=True, eq=False)
class ReLUCache:
    """Of `relu_forward`: y, which is positive where x was."""

    y: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class LeakyReLUCache:
    """Of `leaky_relu_forward`: where x was positive, bool, and the slope elsewhere."""

    positive: np.ndarray
    slope: float
    dtype: np.dtype


@dataclass(frozen=True, slots=True, eq=False)
class ELUCache:
    """Of `elu_forward`: dy/dx at x."""

    derivative: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class DropoutCache:
    """Of `dropout_forward`: which elements were kept, bool, and the factor they were scaled by.

    ``kept`` is None where dropout was the identity.
    """

    kept: np.ndarray | None
    scale: float
    shape: tuple[int, ...]
    dtype: np.dtype


@dataclass(frozen=True, slots=True, eq=False)
class SoftmaxCrossEntropyCache:
    """Of `softmax_cross_entropy_forward`: the probabilities (N, C), labels (N,), and weights."""

    probabilities: np.ndarray
    labels: np.ndarray
    class_weights: np.ndarray
    label_smoothing: float
