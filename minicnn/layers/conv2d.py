"""The convolution layer."""

from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np

from minicnn import initializers, ops, validation
from minicnn.layers.array_spec import ArraySpec
from minicnn.layers.base import Layer
from minicnn.layers.shapes import Shape, image_shape
from minicnn.ops.window import explicit_padding, pair, resolve_window


@dataclass(eq=False)
class Conv2D(Layer):
    """Convolution of images (N, H, W, C) with learnt filters: (N, OH, OW, filters).

    Parameters ``w`` (KH, KW, C, filters) and, with a bias, ``b`` (filters,); see
    `minicnn.ops.conv2d_forward` for the formula.

    Parameters
    ----------
    filters : int
        Number of output channels.
    kernel_size : int or (int, int), default 3
        Height and width of a filter.
    stride : int or (int, int), default 1
    padding : int, (int, int), ((top, bottom), (left, right)), "same" or "valid", default "same"
    use_bias : bool, default True
    weight_initializer : str, dict or Initializer, default "he_normal"
        See `minicnn.initializers.get`. Biases start at 0.

    Raises
    ------
    TypeError, ValueError
        Where a setting has the wrong type or range.
    """

    filters: int
    kernel_size: Any = 3
    _: KW_ONLY
    stride: Any = 1
    padding: Any = "same"
    use_bias: bool = True
    weight_initializer: Any = "he_normal"

    def __post_init__(self) -> None:
        self.filters = validation.integer("Conv2D", "filters", self.filters, 1)
        self.kernel_size = pair("Conv2D", "kernel_size", self.kernel_size, minimum=1)
        self.stride = pair("Conv2D", "stride", self.stride, minimum=1)
        self.use_bias = validation.flag("Conv2D", "use_bias", self.use_bias)
        self.padding = explicit_padding("Conv2D", self.padding)
        self.weight_initializer = initializers.get(self.weight_initializer)

    def output_shape(self, input_shape: Shape) -> Shape:
        """(OH, OW, filters) from (H, W, C)."""
        height, width, _ = image_shape("Conv2D", input_shape)
        window = resolve_window(
            "Conv2D", self.kernel_size, self.stride, self.padding, (height, width)
        )
        return (*window.output_size(height, width), self.filters)

    def arrays(self, input_shape: Shape) -> list[ArraySpec]:
        """w (KH, KW, C, filters) from the initializer, and b (filters,), at first 0."""
        shape = (*self.kernel_size, input_shape[2], self.filters)
        w = ArraySpec("w", shape, self.weight_initializer, decays=True)
        return [w, ArraySpec("b", (self.filters,), 0)] if self.use_bias else [w]

    def forward(self, x: Any, training: bool = False) -> np.ndarray:
        """y (N, OH, OW, filters) from x (N, H, W, C); dtype and errors as `ops.conv2d_forward`."""
        x = self.built_for(x)
        y, self.cache = ops.conv2d_forward(
            x, self.data("w"), self.data("b"), stride=self.stride, padding=self.padding
        )
        return y

    def backward(self, dy: Any) -> np.ndarray:
        """dx (N, H, W, C) from dy (N, OH, OW, filters); errors as `ops.conv2d_backward`."""
        dx, dw, db = ops.conv2d_backward(dy, self.kept())
        self.set_gradients(w=dw, b=db)
        return dx

    def backward_first(self, dy: Any) -> None:
        """As `backward`, without dx."""
        dw, db = ops.conv2d_weight_gradients(dy, self.kept())
        self.set_gradients(w=dw, b=db)

    def multiply_adds(self, input_shape: Shape) -> int:
        """OH · OW · KH · KW · C · filters."""
        rows, columns, filters = self.output_shape(input_shape)
        height, width = self.kernel_size
        return rows * columns * height * width * input_shape[2] * filters
