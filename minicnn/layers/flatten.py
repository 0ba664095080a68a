"""The layer that lays images out as rows."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicnn.layers.base import Layer
from minicnn.layers.shapes import Shape
from minicnn.ops import arguments


@dataclass(eq=False)
class Flatten(Layer):
    """Lay each input out as one row: (N, ...) to (N, in), in row-major order."""

    def output_shape(self, input_shape: Shape) -> Shape:
        """(in,): the product of the axes."""
        return (math.prod(input_shape),)

    def forward(self, x: Any, training: bool = False) -> np.ndarray:
        """y (N, in) from x (N, ...), float64 if x is wider than float32, else float32.

        Where x is of that dtype and C-contiguous, y is its memory seen in another shape.
        """
        (x,) = arguments.floats("flatten", x=self.built_for(x))
        self.cache = x.shape, x.dtype
        return x.reshape((x.shape[0], math.prod(x.shape[1:])))

    def backward(self, dy: Any) -> np.ndarray:
        """dx (N, ...) from dy (N, in), of the forward's dtype; dy's memory where it can be."""
        shape, dtype = self.kept()
        dy = arguments.like_y("flatten_backward", dy, (shape[0], math.prod(shape[1:])), dtype)
        return dy.reshape(shape)
