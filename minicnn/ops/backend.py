"""What a backend is, and which one is used.

A backend is a package ``minicnn/ops/<name>/`` and its name in `BACKENDS`. Its files are called as
those of the doors beside this file, and hold functions of the same names: the bodies. Its
``__init__`` gives what `Backend` asks for.

A door finds its body here by name, at the call. So a body may import its door's cache, and no door
changes where a backend is added.
"""

import functools
import importlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Any, Protocol, TypeVar, cast

import numpy as np

from minicnn.errors import InputError, notify

BACKENDS = ("cpu", "reference", "cuda")
"""The backends that can be chosen, the default first."""

OPERATIONS: dict[str, Callable[..., Any]] = {}
"""The door of every operation by its name: the one list of them."""

_chosen: str | None = None
"""The backend that `use_backend` has chosen."""

_initial: str | None = None
"""The one that is used where nobody has chosen, once that was asked for."""

_bound: ContextVar[str | None] = ContextVar("the backend of the running call", default=None)

Door = TypeVar("Door", bound=Callable[..., Any])


class Backend(Protocol):
    """What a backend's package can do beside its operations.

    The package can be imported on every machine; whether it can compute there, `available` says.
    """

    def asarray(self, value: Any, dtype: Any = None) -> Any:
        """An array that its bodies can read: of any dtype, or C-contiguous and of this one.

        The value itself if it is so already; an array of another backend is brought over. What
        holds no real numbers may come back as NumPy's array, without a dtype: doors refuse it.
        """

    def available(self) -> bool:
        """Whether this machine can run it: nothing is `missing`."""

    def missing(self) -> str:
        """What it lacks to run on this machine, and what to do about it; empty if nothing."""

    def describe(self) -> dict[str, Any]:
        """What beside its inputs decides the last bits of a result, JSON-ready."""

    def use_threads(self, count: Any, name: str = "threads") -> None:
        """Compute with so many threads from now on; `name` begins an error's message."""

    def thread_count(self) -> int:
        """How many threads compute."""

    def most_threads(self) -> int:
        """How many threads there can be."""

    def on_first_compilation(self, say: Callable[[], None]) -> AbstractContextManager[None]:
        """Within the block, call `say` once, at the first kernel that has to be compiled."""

    def watch_compilation(
        self, begin: Callable[[str], None], end: Callable[[], None]
    ) -> AbstractContextManager[None]:
        """Within the block, call `begin` with the name of each kernel that is compiled, then `end`.

        A kernel may begin inside another that calls it.
        """

    def nothing_compiled(self) -> AbstractContextManager[None]:
        """Within the block, raise `NotCompiledError` where a kernel would have to be compiled."""

    def wait(self) -> None:
        """Return once all that was asked of it is computed; only who measures time needs it."""

    def ceiling(self, rounds: int) -> tuple[float, float]:
        """Operations and bytes a second that its threads reach at best; NaN where unknown."""


class use_backend:
    """Choose the backend of every operation from now on; as a context manager, for a block.

    Parameters
    ----------
    name : {"cpu", "reference", "cuda"}
        ``"cpu"`` is compiled by Numba and threaded; ``"reference"`` is plain NumPy; ``"cuda"``
        runs on an NVIDIA GPU.

    Raises
    ------
    InputError
        For any other name, or a backend that this machine cannot run; the message says what is
        missing.

    Notes
    -----
    Operations take arrays of every backend, and give arrays of the chosen one. Those of cuda lie
    on the GPU: ``numpy.asarray`` brings one home. A model, its optimizer and a trainer go on with
    another backend at any moment: their arrays follow.

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
        _chosen = _usable(name, "backend")

    def __enter__(self) -> "use_backend":
        return self

    def __exit__(self, *exception: object) -> None:
        global _chosen
        _chosen = self._before


def backend() -> Backend:
    """The chosen backend's package; at first the one that ``MINICNN_BACKEND`` names, or cpu."""
    name = backend_name()
    return _PACKAGES.get(name) or _package(name)


def backend_name() -> str:
    """The chosen backend's name, for example ``"cpu"``."""
    global _initial
    if name := _bound.get() or _chosen or _initial:
        return name
    named = os.environ.get("MINICNN_BACKEND")
    _initial = _usable(named, "MINICNN_BACKEND") if named else _default()
    return _initial


def backend_is_chosen() -> bool:
    """Whether somebody has named the backend: `use_backend`, or ``MINICNN_BACKEND``."""
    return bool(_bound.get() or _chosen or os.environ.get("MINICNN_BACKEND"))


def _default() -> str:
    """The name of the first that this machine can run; says why if that is not the very first."""
    first = BACKENDS[0]
    found = next(name for name in BACKENDS if _package(name).available())
    if found != first:
        notify(f"computing with the {found} backend: {_package(first).missing()}")
    return found


def available_backends() -> list[str]:
    """The names of all that this machine can run."""
    return [name for name in BACKENDS if _package(name).available()]


def every_backend() -> list[Backend]:
    """All that this machine can run."""
    return [_package(name) for name in available_backends()]


def operation(door: Door) -> Door:
    """Enter a door in the list of operations; the function stays as it is."""
    OPERATIONS[door.__name__] = door
    return door


def bodies() -> "Bodies":
    """The bodies of the chosen backend."""
    return _BODIES[backend_name()]


class Bodies:
    """The bodies of one backend, as attributes: each is imported when it is first called.

    Parameters
    ----------
    backend : str
        The backend's name.
    """

    def __init__(self, backend: str) -> None:
        self._backend = backend

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in OPERATIONS:
            raise AttributeError(f"minicnn has no operation {name!r}")
        file = OPERATIONS[name].__module__.rpartition(".")[2]
        module = importlib.import_module(f"minicnn.ops.{self._backend}.{file}")
        body = getattr(module, name)
        setattr(self, name, body)
        return cast(Callable[..., Any], body)


_BODIES = {name: Bodies(name) for name in BACKENDS}

_PACKAGES: dict[str, Backend] = {}


@contextmanager
def other_bodies(name: str, others: Mapping[str, Callable[..., Any]]) -> Iterator[None]:
    """Within the block a backend has other bodies for some of its operations, for every thread.

    Names that are no operation's are passed over, such as those of helpers.
    """
    own = _BODIES[name]
    others = {key: body for key, body in others.items() if key in OPERATIONS}
    before = {key: getattr(own, key) for key in others}
    vars(own).update(others)
    try:
        yield
    finally:
        vars(own).update(before)


@contextmanager
def backend_here(name: str) -> Iterator[None]:
    """Within the block the backend is this one, for the running Python thread alone."""
    before = _bound.set(name)
    try:
        yield
    finally:
        _bound.reset(before)


def bound(name: str, backend: str) -> Callable[..., Any]:
    """The door of an operation, tied to one backend whichever is chosen.

    Parameters
    ----------
    name : str
        The operation's, for example ``"conv2d_forward"``.
    backend : str

    Returns
    -------
    callable
        With the door's signature and docstring.
    """
    door = OPERATIONS[name]

    @functools.wraps(door)
    def call(*args: Any, **kwargs: Any) -> Any:
        with backend_here(backend):
            return door(*args, **kwargs)

    call.__module__ = f"minicnn.ops.{backend}"
    return call


def numpy_asarray(value: Any, dtype: Any = None) -> np.ndarray:
    """`Backend.asarray` of the backends that compute with NumPy's arrays.

    Returns
    -------
    ndarray
        Any array where dtype is None; otherwise of this dtype, C-contiguous, aligned, writeable:
        the value itself if it is so already.
    """
    if type(value) is not np.ndarray:
        value = np.asarray(value)
    if dtype is None or (value.dtype == dtype and value.flags.carray):
        return value
    return np.require(value, dtype, ["C", "A", "W"])


def _package(name: str) -> Backend:
    """A backend's package, imported when it is first asked for."""
    if name not in _PACKAGES:
        _PACKAGES[name] = cast(Backend, importlib.import_module(f"minicnn.ops.{name}"))
    return _PACKAGES[name]


def _usable(name: str, what: str) -> str:
    """The name, if it is a backend's that this machine can run; `what` begins the message."""
    if name not in BACKENDS:
        raise InputError(f"{what}: expected one of {', '.join(BACKENDS)}, got {name!r}")
    if missing := _package(name).missing():
        raise InputError(f"{what}: {name} cannot run on this machine: {missing}")
    return name
