"""The batch normalisation layer."""

import math
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np

from minicnn import ops, validation
from minicnn.layers.array_spec import ArraySpec
from minicnn.layers.base import Layer
from minicnn.layers.shapes import Shape


@dataclass(eq=False)
class BatchNorm(Layer):
    """Normalise every channel over the batch, then scale and shift: (N, ..., C) to the same.

    Parameters ``gamma`` (C,), at first 1, and ``beta`` (C,), at first 0. The running mean and
    variance, at first 0 and 1, are part of the state, move in training and normalise in
    evaluation. See `minicnn.ops.batchnorm_forward` for the formula and its source.

    Parameters
    ----------
    momentum : float in [0, 1], default 0.9
        Weight of the old running value.
    eps : float > 0, default 1e-5
    unbiased_running_var : bool, default False
        PyTorch's convention for the running variance.

    Raises
    ------
    TypeError, ValueError
        Where a setting has the wrong type or range.
    """

    _: KW_ONLY
    momentum: float = 0.9
    eps: float = 1e-5
    unbiased_running_var: bool = False

    def __post_init__(self) -> None:
        self.momentum = validation.number("BatchNorm", "momentum", self.momentum, 0, 1)
        self.eps = validation.number("BatchNorm", "eps", self.eps, 0, ends="()")
        self.unbiased_running_var = validation.flag(
            "BatchNorm", "unbiased_running_var", self.unbiased_running_var
        )

    @property
    def running_mean(self) -> np.ndarray:
        """A copy of the running mean (C,)."""
        return self._running("running_mean")

    @property
    def running_var(self) -> np.ndarray:
        """A copy of the running variance (C,)."""
        return self._running("running_var")

    def _running(self, key: str) -> np.ndarray:
        running = self.data(key)
        if running is None:
            raise RuntimeError(f"{self.name}: has no {key} yet; build it first")
        return np.array(running)

    def output_shape(self, input_shape: Shape) -> Shape:
        """The shape of the input, which needs a channel axis."""
        if not input_shape:
            raise ValueError(f"BatchNorm: expected inputs of shape (..., C), got {input_shape}")
        return input_shape

    def arrays(self, input_shape: Shape) -> list[ArraySpec]:
        """gamma and the running variance, at first 1; beta and the running mean, at first 0."""
        shape = input_shape[-1:]  # (C,)
        return [
            ArraySpec("gamma", shape, 1),
            ArraySpec("beta", shape, 0),
            ArraySpec("running_mean", shape, 0, learnt=False),
            ArraySpec("running_var", shape, 1, learnt=False),
        ]

    def forward(self, x: Any, training: bool = False) -> np.ndarray:
        """y (N, ..., C) from x (N, ..., C); dtype and errors as `ops.batchnorm_forward`.

        Training needs at least two values a channel: two rows, or one image of two pixels.
        """
        x = self.built_for(x)
        y, self.cache = ops.batchnorm_forward(
            x, self.data("gamma"), self.data("beta"),
            self.data("running_mean"), self.data("running_var"),
            training=training, momentum=self.momentum, eps=self.eps,
            unbiased_running_var=self.unbiased_running_var,
        )
        return y

    def backward(self, dy: Any) -> np.ndarray:
        """dx (N, ..., C) from dy (N, ..., C); errors as `ops.batchnorm_backward`."""
        dx, dgamma, dbeta = ops.batchnorm_backward(dy, self.kept())
        self.set_gradients(gamma=dgamma, beta=dbeta)
        return dx

    def multiply_adds(self, input_shape: Shape) -> int:
        """One a value, in evaluation: the scale and the shift."""
        return math.prod(input_shape)
