"""The operations of a backend whose arrays lie elsewhere, with results as NumPy's arrays."""

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from minicnn.ops.backend import OPERATIONS


def at_home(package: ModuleType) -> ModuleType:
    """The backend's operations; caches stay where they are."""
    module = ModuleType(package.__name__, package.__doc__)
    for name in OPERATIONS:
        setattr(module, name, _bringing_home(getattr(package, name)))
    return module


def _bringing_home(operation: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(operation)
    def call(*args: Any, **kwargs: Any) -> Any:
        return _home(operation(*args, **kwargs))

    return call


def _home(result: Any) -> Any:
    """The result with every array in it on the host."""
    if isinstance(result, tuple):
        return tuple(map(_home, result))
    return np.asarray(result) if hasattr(result, "__cuda_array_interface__") else result
