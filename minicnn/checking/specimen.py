"""A layer as its checks use it: fresh copies in one state, with random parameters."""

import copy
import inspect
from typing import Any

import numpy as np

from minicnn.checking.gradient_report import GradientReport
from minicnn.checking.gradients import gradcheck

Shape = tuple[int, ...]

BATCH = 3
"""Samples of a check: odd, and more than two."""

FULL = 600
"""Most elements of an input for which every one is moved by itself."""


def at_home(array: Any) -> Any:
    """An array that NumPy can compute with: a copy, where it is on a device."""
    return np.asarray(array) if hasattr(array, "__cuda_array_interface__") else array


class Specimen:
    """Fresh copies of a layer, all in one state, and random inputs for them.

    Parameters
    ----------
    layer : object
        With ``forward(x)`` or ``forward(x, training=…)`` and ``backward(dy)``; optional are
        ``parameters()`` (objects with ``name``, ``data`` and ``grad``), ``build(input_shape,
        dtype=, rng=)``, ``state_dict()`` with ``load_state_dict()``, and
        ``output_shape(input_shape)``.
    input_shape : tuple of int
        Of one input, without the batch axis.
    dtype : {"float64", "float32"}
        Of the parameters and inputs.
    seed : int
        Of the parameters and inputs.
    """

    def __init__(
        self, layer: Any, input_shape: Shape, dtype: str = "float64", seed: int = 0
    ) -> None:
        self.dtype, self.input_shape = np.dtype(dtype), tuple(input_shape)
        self.rng = np.random.default_rng([seed, *b"layer"])
        self._layer = copy.deepcopy(layer)
        if hasattr(layer, "build"):
            self._layer.build(self.input_shape, dtype=dtype, rng=np.random.default_rng(seed))
        for parameter in self.parameters(self._layer):
            parameter.data[...] = self.rng.standard_normal(parameter.data.shape)
        self._takes_mode = "training" in inspect.signature(layer.forward).parameters

    def fresh(self) -> Any:
        """A copy in the state that all copies begin in, random generators included."""
        return copy.deepcopy(self._layer)

    @staticmethod
    def parameters(layer: Any) -> list[Any]:
        """The layer's parameters; none where it has no such method."""
        return list(layer.parameters()) if hasattr(layer, "parameters") else []

    def input(self, batch: int = BATCH) -> np.ndarray:
        """Random inputs."""
        shape = (batch, *self.input_shape)
        return (2 * self.rng.standard_normal(shape) + 0.5).astype(self.dtype)

    def upstream(self, y: np.ndarray) -> np.ndarray:
        """A random dy for an output."""
        return self.rng.standard_normal(y.shape).astype(y.dtype)

    def forward(self, layer: Any, x: np.ndarray, training: bool) -> np.ndarray:
        """Call forward, with the mode if it takes one."""
        if self._takes_mode:
            return at_home(layer.forward(x, training=training))
        return at_home(layer.forward(x))

    def run(
        self, layer: Any, x: np.ndarray, dy: np.ndarray, training: bool = True
    ) -> list[np.ndarray]:
        """y, dx, and the gradient of every parameter."""
        y = self.forward(layer, x, training)
        dx = layer.backward(dy)
        gradients = [parameter.grad for parameter in self.parameters(layer)]
        return [y, *map(at_home, [dx, *gradients])]

    def names(self) -> list[str]:
        """What messages call the results of `run`."""
        names = [parameter.name for parameter in self.parameters(self.fresh())]
        return ["y", "dx", *(f"the gradient of {name}" for name in names)]

    def gradients(
        self, training: bool, tolerance: float | None = None, **options: Any
    ) -> GradientReport:
        """`gradcheck` of the layer's input and parameters, in fast mode if the input is large."""
        start = self.fresh()
        values = [parameter.data.copy() for parameter in self.parameters(start)]

        def function(x: np.ndarray, *parameters: np.ndarray) -> tuple[np.ndarray, Any]:
            layer = self.fresh()
            for parameter, value in zip(self.parameters(layer), parameters, strict=True):
                parameter.data[...] = value
            return self.forward(layer, x, training), layer

        def backward(dy: np.ndarray, layer: Any) -> list[np.ndarray]:
            dx = layer.backward(dy)
            return [dx, *(parameter.grad for parameter in self.parameters(layer))]

        options.setdefault("mode", "full" if self.input().size <= FULL else "fast")
        names = ["x", *(parameter.name for parameter in self.parameters(start))]
        return gradcheck(
            function, [self.input(), *values], backward=backward, tolerance=tolerance,
            names=names, **options,
        )
