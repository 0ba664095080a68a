"""The layer normalisation layer."""

import math
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np

from minicnn import ops, validation
from minicnn.layers.array_spec import ArraySpec
from minicnn.layers.base import Layer
from minicnn.layers.shapes import Shape


@dataclass(eq=False)
class LayerNorm(Layer):
    """Normalise every sample over all its values, then scale and shift every channel.

    (N, ..., C) to the same. Parameters ``gamma`` (C,), at first 1, and ``beta`` (C,), at first 0.
    Samples know nothing of each other: the layer is the same in training and in evaluation, takes
    batches of one, and has no running statistics. See `minicnn.ops.layernorm_forward` for the
    formula and its source.

    Parameters
    ----------
    eps : float > 0, default 1e-5

    Raises
    ------
    TypeError, ValueError
        Where a setting has the wrong type or range.
    """

    _: KW_ONLY
    eps: float = 1e-5

    def __post_init__(self) -> None:
        self.eps = validation.number("LayerNorm", "eps", self.eps, 0, ends="()")

    def output_shape(self, input_shape: Shape) -> Shape:
        """The shape of the input, which needs a channel axis and at least two values."""
        if math.prod(input_shape) < 2:
            raise ValueError(
                "LayerNorm: expected inputs of shape (..., C), of at least two values, "
                f"got {input_shape}"
            )
        return input_shape

    def arrays(self, input_shape: Shape) -> list[ArraySpec]:
        """gamma, at first 1; beta, at first 0."""
        return [ArraySpec("gamma", input_shape[-1:], 1), ArraySpec("beta", input_shape[-1:], 0)]

    def forward(self, x: Any, training: bool = False) -> np.ndarray:
        """y (N, ..., C) from x (N, ..., C); dtype and errors as `ops.layernorm_forward`."""
        x = self.built_for(x)
        y, self.cache = ops.layernorm_forward(
            x, self.data("gamma"), self.data("beta"), eps=self.eps
        )
        return y

    def backward(self, dy: Any) -> np.ndarray:
        """dx (N, ..., C) from dy (N, ..., C); errors as `ops.layernorm_backward`."""
        dx, dgamma, dbeta = ops.layernorm_backward(dy, self.kept())
        self.set_gradients(gamma=dgamma, beta=dbeta)
        return dx

    def multiply_adds(self, input_shape: Shape) -> int:
        """Two a value: its square for the variance; the scale and the shift."""
        return 2 * math.prod(input_shape)
