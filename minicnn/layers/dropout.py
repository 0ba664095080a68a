"""The dropout layer."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from minicnn import ops, validation
from minicnn.layers.array_spec import ArraySpec
from minicnn.layers.base import Layer
from minicnn.layers.shapes import Shape


@dataclass(eq=False)
class Dropout(Layer):
    """Drop each value with probability `rate` in training, scale the rest by 1 / (1 - rate).

    The masks come from `Layer.rng`, a child of the generator that `build` is given.

    Parameters
    ----------
    rate : float in [0, 1)
        Probability of dropping.

    Raises
    ------
    TypeError, ValueError
        Where rate has the wrong type or range.
    """

    rate: float

    def __post_init__(self) -> None:
        self.rate = validation.number("Dropout", "rate", self.rate, 0, 1, ends="[)")

    def arrays(self, input_shape: Shape) -> list[ArraySpec]:
        """None: `create` makes a generator alone."""
        return []

    def create(self, input_shape: Shape, dtype: np.dtype, rng: np.random.Generator) -> None:
        """A generator of the layer's own."""
        (self.rng,) = rng.spawn(1)

    def forward(self, x: Any, training: bool = False) -> np.ndarray:
        """y of x's shape; dtype and errors as `ops.dropout_forward`."""
        x = self.built_for(x)
        y, self.cache = ops.dropout_forward(
            x, rate=self.rate, training=training, rng=self.rng
        )
        return y

    def backward(self, dy: Any) -> np.ndarray:
        """dx of dy's shape; errors as `ops.dropout_backward`."""
        return ops.dropout_backward(dy, self.kept())
