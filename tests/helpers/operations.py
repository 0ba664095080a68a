"""Every operation that maps one array to another, called in one way: settings filled in."""

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np


def _filled(*shape: int) -> np.ndarray:
    """Small numbers, float32."""
    return np.random.default_rng(5).standard_normal(shape).astype(np.float32)


@dataclass(frozen=True)
class Operation:
    """An operation, the shape of an x that it takes, and its other arguments."""

    name: str
    x_shape: tuple[int, ...]
    arguments: Callable[[], dict[str, Any]] = dict

    def forward(self, backend: ModuleType, x: Any) -> tuple:
        """y and the cache."""
        return getattr(backend, f"{self.name}_forward")(x, **self.arguments())

    def backward(self, backend: ModuleType, dy: Any, cache: Any) -> np.ndarray:
        """dx."""
        gradients = getattr(backend, f"{self.name}_backward")(dy, cache)
        return gradients[0] if isinstance(gradients, tuple) else gradients


OPERATIONS = [
    Operation("conv2d", (2, 4, 5, 3), lambda: {"w": _filled(2, 3, 3, 5), "b": _filled(5)}),
    Operation("maxpool2d", (2, 4, 5, 3)),
    Operation("avgpool2d", (2, 4, 5, 3)),
    Operation("global_avgpool2d", (2, 4, 5, 3)),
    Operation("batchnorm", (2, 4, 5, 3), lambda: {
        "gamma": _filled(3), "beta": _filled(3), "training": True,
        "running_mean": np.zeros(3, np.float32), "running_var": np.ones(3, np.float32)}),
    Operation("layernorm", (2, 4, 5, 3), lambda: {"gamma": _filled(3), "beta": _filled(3)}),
    Operation("groupnorm", (2, 4, 5, 6), lambda: {
        "gamma": _filled(6), "beta": _filled(6), "groups": 3}),
    Operation("dense", (6, 4), lambda: {"w": _filled(4, 5), "b": _filled(5)}),
    Operation("relu", (3, 4)),
    Operation("leaky_relu", (3, 4)),
    Operation("elu", (3, 4)),
    Operation("dropout", (3, 4), lambda: {
        "rate": 0.5, "training": True, "rng": np.random.default_rng(0)}),
]
