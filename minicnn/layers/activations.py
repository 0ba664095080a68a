"""The activation layers; each takes and gives any shape."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from minicnn import ops, validation
from minicnn.layers.base import Layer


@dataclass(eq=False)
class ReLU(Layer):
    """``y = max(x, 0)``."""

    def forward(self, x: Any, training: bool = False) -> np.ndarray:
        """y of x's shape; dtype and errors as `ops.relu_forward`."""
        y, self.cache = ops.relu_forward(self.built_for(x))
        return y

    def backward(self, dy: Any) -> np.ndarray:
        """dx of dy's shape; errors as `ops.relu_backward`."""
        return ops.relu_backward(dy, self.kept())


@dataclass(eq=False)
class LeakyReLU(Layer):
    """``y = x where x > 0, else slope · x``.

    Parameters
    ----------
    slope : float >= 0, default 0.01

    Raises
    ------
    TypeError, ValueError
        Where slope has the wrong type or range.
    """

    slope: float = 0.01

    def __post_init__(self) -> None:
        self.slope = validation.number("LeakyReLU", "slope", self.slope, 0)

    def forward(self, x: Any, training: bool = False) -> np.ndarray:
        """y of x's shape; dtype and errors as `ops.leaky_relu_forward`."""
        y, self.cache = ops.leaky_relu_forward(self.built_for(x), slope=self.slope)
        return y

    def backward(self, dy: Any) -> np.ndarray:
        """dx of dy's shape; errors as `ops.leaky_relu_backward`."""
        return ops.leaky_relu_backward(dy, self.kept())


@dataclass(eq=False)
class ELU(Layer):
    """``y = x where x > 0, else alpha · (exp(x) - 1)``.

    Parameters
    ----------
    alpha : float >= 0, default 1.0

    Raises
    ------
    TypeError, ValueError
        Where alpha has the wrong type or range.
    """

    alpha: float = 1.0

    def __post_init__(self) -> None:
        self.alpha = validation.number("ELU", "alpha", self.alpha, 0)

    def forward(self, x: Any, training: bool = False) -> np.ndarray:
        """y of x's shape; dtype and errors as `ops.elu_forward`."""
        y, self.cache = ops.elu_forward(self.built_for(x), alpha=self.alpha)
        return y

    def backward(self, dy: Any) -> np.ndarray:
        """dx of dy's shape; errors as `ops.elu_backward`."""
        return ops.elu_backward(dy, self.kept())
