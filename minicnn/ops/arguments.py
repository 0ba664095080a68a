"""What every door does with the arguments it is given: convert what came, or say what was expected.

What a body may rely on, in every backend:

- Arrays are made by the backend's own `asarray`: C-contiguous, aligned, of one dtype, float32 or
  float64. An array of the caller's that has another form, or is another backend's, is copied.
- Shapes agree, and no array of an operation on layers is empty.
- Numbers are Python's own, finite and in range, but those of an update, which an optimizer has
  checked. Windows are resolved: `window.Window`.
- Arrays that change in place have the right shape and dtype, and are writeable. Where they are
  copies, the caller's own arrays get their numbers afterwards.
- A cache is what this operation's forward returned, on whichever backend: its arrays are made by
  `asarray` too.
- Lists of arrays are of one length, which may be 0.
"""

import functools
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from typing import Any, Protocol, TypeVar

import numpy as np

from minicnn.ops.backend import backend

_FLOAT32: np.dtype = np.dtype(np.float32)
_FLOAT64: np.dtype = np.dtype(np.float64)


class Cache(Protocol):
    """All that a door reads of a cache: what dy must look like.

    A cache refers to the arrays that forward was given or gave back, it does not copy them: whoever
    changes `x`, or ReLU's `y`, between forward and backward changes the gradient.
    """

    @property
    def y_shape(self) -> tuple[int, ...]:
        """The shape of forward's y."""

    @property
    def dtype(self) -> np.dtype:
        """The dtype of forward's y."""


AnyCache = TypeVar("AnyCache")

ForwardCache = TypeVar("ForwardCache", bound=Cache)


def floats(operation: str, *, optional: tuple[str, ...] = (), **values: Any) -> tuple[Any, ...]:
    """Every array in one working dtype and in the layout that kernels expect.

    Those that are named in `optional` may be ``None``, and stay so. The working dtype is float64
    if any array is wider than float32, else float32: half precision, integers and booleans become
    float32. Arrays that already agree are not copied.

    Raises
    ------
    TypeError
        For anything that is not real numbers (complex, objects, text).
    ValueError
        For an array without elements.
    """
    asarray, dtype = backend().asarray, _FLOAT32
    arrays: list[Any] = []
    for name, value in values.items():
        if value is None and name in optional:
            arrays.append(None)
            continue
        array = asarray(value)
        _require_numbers(operation, name, array)
        if array.dtype.kind == "f" and array.dtype.itemsize > 4:
            dtype = _FLOAT64
        arrays.append(array)
    return tuple([None if array is None else asarray(array, dtype) for array in arrays])


def numbers(operation: str, name: str, value: Any) -> Any:
    """`value` as an array of any dtype, if it holds real numbers, and at least one."""
    array = backend().asarray(value)
    _require_numbers(operation, name, array)
    return array


def several(operation: str, arrays: Iterable[Any]) -> list[Any]:
    """Arrays that need not agree with each other, each in its working dtype; any may be empty."""
    asarray = backend().asarray
    found = []
    for array in map(asarray, arrays):
        _require_real(operation, "an array", array)
        found.append(asarray(array, working_dtype(array)))
    return found


def working_dtype(array: Any) -> np.dtype:
    """The dtype in which an array is computed with: float64 if it is wider than float32."""
    wide = array.dtype.kind == "f" and array.dtype.itemsize > 4
    return _FLOAT64 if wide else _FLOAT32


def upstream(
    operation: str, dy: Any, cache: Any, kind: type[ForwardCache]
) -> tuple[Any, ForwardCache]:
    """`dy` as an array of the shape and dtype of forward's y, and the cache, if it is of `kind`."""
    cache = cache_of(operation, cache, kind)
    return like_y(operation, dy, cache.y_shape, cache.dtype), cache


def like_y(operation: str, dy: Any, shape: tuple[int, ...], dtype: np.dtype) -> Any:
    """`dy` as an array of this shape and dtype, which are those of y."""
    asarray = backend().asarray
    array = asarray(dy)
    if array.dtype != dtype or array.shape != shape:
        _require_numbers(operation, "dy", array)
        if array.shape != shape:
            raise ValueError(
                f"{operation}: dy must have the shape of y, {shape}, got {array.shape}"
            )
    return asarray(array, dtype)


def cache_of(operation: str, cache: Any, kind: type[AnyCache]) -> AnyCache:
    """`cache`, if it is what this operation's forward returned, on whichever backend."""
    if not isinstance(cache, kind):
        raise TypeError(
            f"{operation}: expected the {kind.__name__} of its forward, got {type(cache).__name__}"
        )
    asarray, moved, home = backend().asarray, {}, None
    for name in _arrays_of(type(cache)):  # type: ignore[arg-type]  # a class is hashable
        array = getattr(cache, name)
        if array is None or type(array) is home:  # nothing, or where the backend computes
            continue
        here = asarray(array, array.dtype)
        home = type(here)
        if here is not array:
            moved[name] = here
    return replace(cache, **moved) if moved else cache  # type: ignore[type-var]  # a dataclass


@functools.cache
def _arrays_of(kind: type) -> tuple[str, ...]:
    """The names of a cache's arrays."""
    return tuple(
        field.name for field in fields(kind) if field.type in (np.ndarray, np.ndarray | None)
    )


def is_array(value: Any) -> bool:
    """Whether a value is an array, NumPy's or another backend's, that can change in place."""
    return isinstance(value, np.ndarray) or hasattr(value, "__cuda_array_interface__")


def give_back(own: Any, changed: Any) -> None:
    """Let the caller's own array get the numbers of the one that changed in its place."""
    if changed is not own:
        own[...] = changed


def _require_real(operation: str, name: str, array: Any) -> None:
    """Require real numbers, of whatever dtype."""
    if array.dtype.kind not in "biuf":
        nothing = array.ndim == 0 and array.item() is None
        got = "None" if nothing else f"dtype {array.dtype}"
        raise TypeError(f"{operation}: {name} must hold real numbers, got {got}")


def _require_numbers(operation: str, name: str, array: Any) -> None:
    """Require at least one real number."""
    _require_real(operation, name, array)
    if array.size == 0:
        raise ValueError(f"{operation}: {name} is empty (shape {array.shape})")


def ndim(operation: str, name: str, array: Any, axes: str) -> None:
    """Require as many axes as `axes` names, for example ``"(N, H, W, C)"``."""
    if array.ndim != axes.count(",") + 1:
        raise ValueError(f"{operation}: {name} must have axes {axes}, got shape {array.shape}")


def vector(operation: str, name: str, array: Any, length: int, why: str) -> None:
    """Require shape ``(length,)``, unless the array is ``None``."""
    if array is not None and array.shape != (length,):
        raise ValueError(
            f"{operation}: {name} must have shape ({length},), {why}, got {array.shape}"
        )


def per_channel(operation: str, x: Any, **arrays: Any) -> None:
    """Require x of axes (N, ..., C), and of each array one value a channel."""
    if x.ndim < 2:
        raise ValueError(f"{operation}: x must have axes (N, ..., C), got shape {x.shape}")
    for name, array in arrays.items():
        vector(operation, name, array, x.shape[-1], "one value a channel of x")


def class_labels(operation: str, labels: Any, count: int, classes: int) -> np.ndarray:
    """`labels` as int64 (count,), each in ``[0, classes)``."""
    labels = np.asarray(labels)
    if labels.dtype.kind not in "iu":
        raise TypeError(f"{operation}: labels must be integers, got dtype {labels.dtype}")
    vector(operation, "labels", labels, count, "one label a row of logits")
    outside = np.flatnonzero((labels < 0) | (labels >= classes))
    if outside.size:
        raise ValueError(
            f"{operation}: labels must lie in [0, {classes}), "
            f"got {labels[outside[0]]} in row {outside[0]}"
        )
    return labels.astype(np.int64)


def class_weights_of(
    operation: str, class_weights: Any, dtype: np.dtype | type = np.float64
) -> np.ndarray:
    """A weight for each class, finite and not negative, as an array (C,) of this dtype."""
    weights = np.asarray(class_weights)
    _require_numbers(operation, "class_weights", weights)
    ndim(operation, "class_weights", weights, "(C)")
    with np.errstate(over="ignore"):  # what becomes infinite is refused below
        weights = np.require(weights, dtype, ["C", "A", "W"])
    if not (np.isfinite(weights).all() and (weights >= 0).all()):
        raise ValueError(
            f"{operation}: class_weights must be finite and not negative, got {class_weights}"
        )
    return weights


@contextmanager
def update(operation: str, changed: dict[str, Any], **given: Any) -> Iterator[Sequence[list[Any]]]:
    """The arrays of an update, of one parameter or of many, where the backend computes.

    After the block those that change have their new numbers, wherever they are.

    Parameters
    ----------
    operation : str
        Who asks, for the error messages.
    changed : dict of str to array, or to list of arrays
        What changes in place, by its name in the messages; the first is the pattern of all.
    **given
        The one array that stays, by its name, or a list of as many.

    Yields
    ------
    sequence of list of array
        First what changes, then what stays; of one parameter lists of one.
    """
    (like, first), *_ = changed.items()
    named = {**changed, **given}
    if isinstance(first, list | tuple) and all(map(is_array, first)):
        for name, arrays in named.items():
            if not isinstance(arrays, list | tuple) or len(arrays) != len(first):
                raise ValueError(
                    f"{operation}: {name} must be a list of {len(first)} arrays, as {like} is"
                )
    else:
        named = {name: [array] for name, array in named.items()}
    asarray, (stays,) = backend().asarray, given
    taken: list[list[Any]] = [[] for _ in named]
    for pattern, *others, value in zip(*named.values(), strict=True):
        for name, array, column in zip(changed, (pattern, *others), taken, strict=False):
            _require_changeable(operation, name, array, like, pattern)
            column.append(asarray(array, array.dtype))
        array = numbers(operation, stays, value)
        if array.shape != pattern.shape:
            raise ValueError(
                f"{operation}: {stays} must have the shape of {like}, {pattern.shape}, "
                f"got {array.shape}"
            )
        taken[-1].append(asarray(array, pattern.dtype))
    yield taken
    for arrays, here in zip(list(named.values())[:-1], taken, strict=False):
        for own, used in zip(arrays, here, strict=True):
            give_back(own, used)


def _require_changeable(operation: str, name: str, array: Any, like: str, pattern: Any) -> None:
    """Refuse what an update cannot change in place, or is not like the pattern."""
    if not is_array(array) or array.dtype not in (_FLOAT32, _FLOAT64):
        raise TypeError(
            f"{operation}: {name} must be an array of float32 or float64, "
            f"got {getattr(array, 'dtype', type(array).__name__)}"
        )
    if array.shape != pattern.shape or array.dtype != pattern.dtype:
        raise ValueError(
            f"{operation}: {name} must be like {like}, {pattern.shape} of {pattern.dtype}, "
            f"got {array.shape} of {array.dtype}"
        )
    if isinstance(array, np.ndarray):
        flags = array.flags
        if not (flags.c_contiguous and flags.writeable):
            raise ValueError(
                f"{operation}: {name} must be C-contiguous and writeable, to be changed in place"
            )


def each(operation: str, name: str, number: Any, count: int) -> list[Any]:
    """A number for each of so many parameters: one for all, or a list of as many."""
    if not isinstance(number, list | tuple):
        return [number] * count
    if len(number) != count:
        raise ValueError(
            f"{operation}: {name} must be a number, or one for each of {count} parameters, "
            f"got {len(number)}"
        )
    return list(number)
