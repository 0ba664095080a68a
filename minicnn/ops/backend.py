"""Which of the three writings of an operation is used."""

import functools
import importlib
import os
from collections.abc import Callable
from types import ModuleType
from typing import Any, TypeVar

from minicnn.errors import InputError

BACKENDS = ("cpu", "reference")
"""The backends that can be chosen, the default first."""

_chosen: ModuleType | None = None

Function = TypeVar("Function", bound=Callable[..., Any])


class use_backend:
    """Choose the backend of every operation from now on; as a context manager, for a block.

    Parameters
    ----------
    name : {"cpu", "reference"}
        ``"cpu"`` is compiled by Numba and threaded; ``"reference"`` is plain NumPy.

    Raises
    ------
    InputError
        For any other name.

    Examples
    --------
    >>> import minicnn
    >>> with minicnn.use_backend("reference"):
    ...     minicnn.backend_name()
    'reference'
    """

    def __init__(self, name: str) -> None:
        global _chosen
        self._before = _chosen
        _chosen = _module(name, "backend")

    def __enter__(self) -> "use_backend":
        return self

    def __exit__(self, *exception: object) -> None:
        global _chosen
        _chosen = self._before


def backend() -> ModuleType:
    """The chosen backend's module; at first the one that ``MINICNN_BACKEND`` names, or cpu."""
    global _chosen
    if _chosen is None:
        _chosen = _module(os.environ.get("MINICNN_BACKEND") or BACKENDS[0], "MINICNN_BACKEND")
    return _chosen


def backend_name() -> str:
    """The chosen backend's name, for example ``"cpu"``."""
    return backend().__name__.rpartition(".")[2]


def on_backend(definition: Function) -> Function:
    """A function that calls the chosen backend's function of the same name as `definition`.

    It takes over the signature and the docstring of the reference, where they are written once.
    """
    name = definition.__name__

    @functools.wraps(definition)
    def dispatch(*args: Any, **kwargs: Any) -> Any:
        return getattr(backend(), name)(*args, **kwargs)

    return dispatch  # type: ignore[return-value]


def _module(name: str, what: str) -> ModuleType:
    if name not in BACKENDS:
        raise InputError(f"{what}: expected one of {', '.join(BACKENDS)}, got {name!r}")
    return importlib.import_module(f"minicnn.ops.{name}")
