"""A backend whose arrays NumPy cannot compute with, as on a GPU: it stands in for one.

Its bodies are the reference's. They take distant arrays alone, and count what a GPU would wait for.
"""

import dataclasses
import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from minicnn.ops.backend import OPERATIONS, Bodies

NAME = "distant"

choice = importlib.import_module("minicnn.ops.backend")


@dataclass
class Traffic:
    """What has gone between the host and the distant memory since the last `clear`."""

    uploads: int = 0
    downloads: int = 0
    downloaded_bytes: int = 0
    calls: int = 0
    waits: int = 0

    def clear(self) -> None:
        """Begin to count anew."""
        vars(self).update(vars(Traffic()))

    def download(self, size: int) -> None:
        """Count one."""
        self.downloads += 1
        self.downloaded_bytes += size

    def wait(self) -> None:
        """Count a wait for the end of all work."""
        self.waits += 1


TRAFFIC = Traffic()


class DistantArray:
    """An array with the surface of the cuda backend's, and nothing else."""

    __slots__ = ("_memory",)

    def __init__(self, memory: np.ndarray) -> None:
        self._memory = memory

    shape = property(lambda self: self._memory.shape)
    dtype = property(lambda self: self._memory.dtype)
    size = property(lambda self: self._memory.size)
    ndim = property(lambda self: self._memory.ndim)
    nbytes = property(lambda self: self._memory.nbytes)

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        return {**self._memory.__array_interface__, "version": 3}

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        TRAFFIC.download(self.nbytes)
        return self._memory.astype(self.dtype if dtype is None else dtype)

    def __setitem__(self, key: Any, value: Any) -> None:
        assert key is Ellipsis, "a distant array changes as a whole"
        if isinstance(value, DistantArray):
            self._memory[...] = value._memory
        else:
            TRAFFIC.uploads += 1
            self._memory[...] = value

    def __deepcopy__(self, memo: Any) -> "DistantArray":
        return self.copy()

    def __eq__(self, other: object) -> bool:
        raise TypeError("a distant array is not compared")

    def __bool__(self) -> bool:
        raise TypeError("a distant array is neither true nor false")

    __hash__ = None  # type: ignore[assignment]

    def copy(self) -> "DistantArray":
        """Another of the same numbers."""
        return DistantArray(self._memory.copy())

    def reshape(self, shape: tuple[int, ...]) -> "DistantArray":
        """The same memory in another shape."""
        return DistantArray(self._memory.reshape(shape))


def asarray(value: Any, dtype: Any = None) -> Any:
    """With a dtype a distant array; without one, what came is only looked at, where it is."""
    if isinstance(value, DistantArray) and (dtype is None or value.dtype == dtype):
        return value
    array = np.asarray(value)
    if dtype is None:
        return array
    TRAFFIC.uploads += 1
    return DistantArray(np.array(array, dtype, order="C"))


def at_home(value: Any) -> Any:
    """A body's argument as the reference takes it: the distant memory itself."""
    assert not isinstance(value, np.ndarray), "a body was given an array that is not distant"
    if isinstance(value, DistantArray):
        return value._memory
    if isinstance(value, list):
        return [at_home(each) for each in value]
    if dataclasses.is_dataclass(value):
        return with_arrays(value, at_home)
    return value


def far_away(value: Any) -> Any:
    """What the reference gives, as a distant backend would: numbers it has to send home."""
    if isinstance(value, np.ndarray):
        return DistantArray(value)
    if isinstance(value, tuple):
        return tuple(map(far_away, value))
    if dataclasses.is_dataclass(value):
        return with_arrays(value, far_away)
    if isinstance(value, float | bool):
        TRAFFIC.download(8)
    return value


def with_arrays(cache: Any, change: Callable[[Any], Any]) -> Any:
    """A cache with other arrays; what it has else stays."""
    arrays = {
        field.name: change(value) for field in dataclasses.fields(cache)
        if isinstance(value := getattr(cache, field.name), np.ndarray | DistantArray)
    }
    return dataclasses.replace(cache, **arrays) if arrays else cache


def body(name: str) -> Callable[..., Any]:
    """The reference's body of an operation, on distant arrays."""
    computed = getattr(Bodies("reference"), name)

    def run(*args: Any, **kwargs: Any) -> Any:
        TRAFFIC.calls += 1
        return far_away(computed(
            *map(at_home, args), **{key: at_home(value) for key, value in kwargs.items()}
        ))

    return run


def package(missing: str = "") -> Any:
    """What a backend's package gives beside its operations."""
    return SimpleNamespace(
        __name__=f"minicnn.ops.{NAME}", asarray=asarray, missing=lambda: missing,
        available=lambda: not missing, describe=lambda: {"chip": "far away"},
        use_threads=lambda count, name="threads": None, thread_count=lambda: 1,
        most_threads=lambda: 1, wait=TRAFFIC.wait, on_first_compilation=lambda say: nullcontext(),
        nothing_compiled=nullcontext, watch_compilation=lambda begin, end: nullcontext(),
        ceiling=lambda rounds: (np.nan, np.nan),
    )


@contextmanager
def distant_backend(missing: str = "") -> Iterator[Traffic]:
    """Within the block there is one backend more, if nothing is `missing`; gives its traffic."""
    bodies: Any = SimpleNamespace(**{name: body(name) for name in OPERATIONS})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choice, "BACKENDS", tuple(dict.fromkeys([*choice.BACKENDS, NAME])))
        patch.setitem(choice._PACKAGES, NAME, package(missing))
        patch.setitem(choice._BODIES, NAME, bodies)
        TRAFFIC.clear()
        yield TRAFFIC
