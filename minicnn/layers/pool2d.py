"""The pooling layers."""

from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np

from minicnn import ops
from minicnn.layers.base import Layer
from minicnn.layers.shapes import Shape, image_shape
from minicnn.ops.window import explicit_padding, pair, resolve_window


@dataclass(eq=False)
class _Pool2D(Layer):
    """What `MaxPool2D` and `AvgPool2D` share: a window that keeps the channels."""

    size: Any = 2
    _: KW_ONLY
    stride: Any = None
    padding: Any = 0

    def __post_init__(self) -> None:
        kind = type(self).__name__
        self.size = pair(kind, "size", self.size, minimum=1)
        if self.stride is not None:
            self.stride = pair(kind, "stride", self.stride, minimum=1)
        self.padding = explicit_padding(kind, self.padding)

    def output_shape(self, input_shape: Shape) -> Shape:
        """(OH, OW, C) from (H, W, C)."""
        kind = type(self).__name__
        height, width, channels = image_shape(kind, input_shape)
        stride = self.size if self.stride is None else self.stride
        window = resolve_window(
            kind, self.size, stride, self.padding, (height, width), cover=True
        )
        return (*window.output_size(height, width), channels)


@dataclass(eq=False)
class MaxPool2D(_Pool2D):
    """The greatest value in each window: (N, H, W, C) to (N, OH, OW, C).

    See `minicnn.ops.maxpool2d_forward`.

    Parameters
    ----------
    size : int or (int, int), default 2
    stride : int or (int, int), optional
        The window's size by default.
    padding : int, (int, int), ((top, bottom), (left, right)), "same" or "valid", default 0

    Raises
    ------
    TypeError, ValueError
        Where a setting has the wrong type or range.
    """

    def forward(self, x: Any, training: bool = False) -> np.ndarray:
        """y (N, OH, OW, C) from x (N, H, W, C); dtype and errors as `ops.maxpool2d_forward`."""
        x = self.built_for(x)
        y, self.cache = ops.maxpool2d_forward(
            x, size=self.size, stride=self.stride, padding=self.padding
        )
        return y

    def backward(self, dy: Any) -> np.ndarray:
        """dx (N, H, W, C) from dy (N, OH, OW, C); errors as `ops.maxpool2d_backward`."""
        return ops.maxpool2d_backward(dy, self.kept())


@dataclass(eq=False)
class AvgPool2D(_Pool2D):
    """The mean of each window, padding left out: (N, H, W, C) to (N, OH, OW, C).

    See `minicnn.ops.avgpool2d_forward`.

    Parameters
    ----------
    size : int or (int, int), default 2
    stride : int or (int, int), optional
        The window's size by default.
    padding : int, (int, int), ((top, bottom), (left, right)), "same" or "valid", default 0

    Raises
    ------
    TypeError, ValueError
        Where a setting has the wrong type or range.
    """

    def forward(self, x: Any, training: bool = False) -> np.ndarray:
        """y (N, OH, OW, C) from x (N, H, W, C); dtype and errors as `ops.avgpool2d_forward`."""
        x = self.built_for(x)
        y, self.cache = ops.avgpool2d_forward(
            x, size=self.size, stride=self.stride, padding=self.padding
        )
        return y

    def backward(self, dy: Any) -> np.ndarray:
        """dx (N, H, W, C) from dy (N, OH, OW, C); errors as `ops.avgpool2d_backward`."""
        return ops.avgpool2d_backward(dy, self.kept())


@dataclass(eq=False)
class GlobalAvgPool2D(Layer):
    """The mean of each channel over the image: (N, H, W, C) to (N, C)."""

    def output_shape(self, input_shape: Shape) -> Shape:
        """(C,) from (H, W, C)."""
        return image_shape("GlobalAvgPool2D", input_shape)[2:]

    def forward(self, x: Any, training: bool = False) -> np.ndarray:
        """y (N, C) from x (N, H, W, C); dtype and errors as `ops.global_avgpool2d_forward`."""
        y, self.cache = ops.global_avgpool2d_forward(self.built_for(x))
        return y

    def backward(self, dy: Any) -> np.ndarray:
        """dx (N, H, W, C) from dy (N, C); errors as `ops.global_avgpool2d_backward`."""
        return ops.global_avgpool2d_backward(dy, self.kept())
