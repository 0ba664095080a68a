"""The dense layer."""

from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np

from minicnn import initializers, ops, validation
from minicnn.layers.array_spec import ArraySpec
from minicnn.layers.base import Layer
from minicnn.layers.shapes import Shape


@dataclass(eq=False)
class Dense(Layer):
    """Multiply by a learnt matrix: (N, in) to (N, units).

    Parameters ``w`` (in, units) and, with a bias, ``b`` (units,).

    Parameters
    ----------
    units : int
        Number of outputs.
    use_bias : bool, default True
    weight_initializer : str, dict or Initializer, default "he_normal"
        See `minicnn.initializers.get`. Biases start at 0.

    Raises
    ------
    TypeError, ValueError
        Where a setting has the wrong type or range.
    """

    units: int
    _: KW_ONLY
    use_bias: bool = True
    weight_initializer: Any = "he_normal"

    def __post_init__(self) -> None:
        self.units = validation.integer("Dense", "units", self.units, 1)
        self.use_bias = validation.flag("Dense", "use_bias", self.use_bias)
        self.weight_initializer = initializers.get(self.weight_initializer)

    def output_shape(self, input_shape: Shape) -> Shape:
        """(units,) from (in,)."""
        if len(input_shape) != 1:
            raise ValueError(
                f"Dense: expected inputs of shape (in,), got {input_shape}; put a Flatten before it"
            )
        return (self.units,)

    def arrays(self, input_shape: Shape) -> list[ArraySpec]:
        """w (in, units) from the initializer, and b (units,), at first 0."""
        w = ArraySpec("w", (input_shape[0], self.units), self.weight_initializer, decays=True)
        return [w, ArraySpec("b", (self.units,), 0)] if self.use_bias else [w]

    def forward(self, x: Any, training: bool = False) -> np.ndarray:
        """y (N, units) from x (N, in); dtype and errors as `ops.dense_forward`."""
        x = self.built_for(x)
        y, self.cache = ops.dense_forward(x, self.data("w"), self.data("b"))
        return y

    def backward(self, dy: Any) -> np.ndarray:
        """dx (N, in) from dy (N, units); errors as `ops.dense_backward`."""
        dx, dw, db = ops.dense_backward(dy, self.kept())
        self.set_gradients(w=dw, b=db)
        return dx

    def backward_first(self, dy: Any) -> None:
        """As `backward`, without dx."""
        dw, db = ops.dense_weight_gradients(dy, self.kept())
        self.set_gradients(w=dw, b=db)

    def multiply_adds(self, input_shape: Shape) -> int:
        """in · units."""
        return input_shape[0] * self.units
