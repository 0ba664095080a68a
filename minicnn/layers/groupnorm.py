"""The group normalisation layer."""

import math
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np

from minicnn import ops, validation
from minicnn.layers.array_spec import ArraySpec
from minicnn.layers.base import Layer
from minicnn.layers.shapes import Shape


@dataclass(eq=False)
class GroupNorm(Layer):
    """Normalise groups of channels of every sample, then scale and shift every channel.

    (N, ..., C) to the same. Parameters ``gamma`` (C,), at first 1, and ``beta`` (C,), at first 0.
    Samples know nothing of each other: the layer is the same in training and in evaluation, takes
    batches of one, and has no running statistics. See `minicnn.ops.groupnorm_forward` for the
    formula and its source.

    Parameters
    ----------
    groups : int
        How many groups of neighbouring channels; it divides C. 1 is layer norm, C instance norm.
    eps : float > 0, default 1e-5

    Raises
    ------
    TypeError, ValueError
        Where a setting has the wrong type or range.
    """

    groups: int
    _: KW_ONLY
    eps: float = 1e-5

    def __post_init__(self) -> None:
        self.groups = validation.integer("GroupNorm", "groups", self.groups, 1)
        self.eps = validation.number("GroupNorm", "eps", self.eps, 0, ends="()")

    def output_shape(self, input_shape: Shape) -> Shape:
        """The shape of the input, whose channels the groups divide; two values a group at least."""
        if not input_shape:
            raise ValueError(f"GroupNorm: expected inputs of shape (..., C), got {input_shape}")
        validation.divisor("GroupNorm", "groups", self.groups, input_shape[-1], "channels")
        if math.prod(input_shape) < 2 * self.groups:
            raise ValueError(
                f"GroupNorm: a group needs at least two values, got {self.groups} groups of inputs "
                f"of shape {input_shape}"
            )
        return input_shape

    def arrays(self, input_shape: Shape) -> list[ArraySpec]:
        """gamma, at first 1; beta, at first 0."""
        return [ArraySpec("gamma", input_shape[-1:], 1), ArraySpec("beta", input_shape[-1:], 0)]

    def forward(self, x: Any, training: bool = False) -> np.ndarray:
        """y (N, ..., C) from x (N, ..., C); dtype and errors as `ops.groupnorm_forward`."""
        x = self.built_for(x)
        y, self.cache = ops.groupnorm_forward(
            x, self.data("gamma"), self.data("beta"), groups=self.groups, eps=self.eps
        )
        return y

    def backward(self, dy: Any) -> np.ndarray:
        """dx (N, ..., C) from dy (N, ..., C); errors as `ops.groupnorm_backward`."""
        dx, dgamma, dbeta = ops.groupnorm_backward(dy, self.kept())
        self.set_gradients(gamma=dgamma, beta=dbeta)
        return dx

    def multiply_adds(self, input_shape: Shape) -> int:
        """Two a value: its square for the variance; the scale and the shift."""
        return 2 * math.prod(input_shape)
