"""What every door does with the arguments it is given: convert what came, or say what was expected.

What a body may rely on, in every backend:

- Arrays are made by the backend's own `asarray`: C-contiguous, aligned, of one dtype, float32 or
  float64. An array of the caller's that has another form is copied.
- Shapes agree, and no array of an operation on layers is empty.
- Numbers are Python's own, finite and in range, but those of an update, which an optimizer has
  checked. Windows are resolved: `window.Window`.
- Arrays that change in place are the caller's own, writeable, of the right shape and dtype.
- A cache is what this operation's forward returned, on whichever backend.
"""

from collections.abc import Iterable
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


def several(operation: str, arrays: Iterable[Any]) -> list[Any]:
    """Arrays that need not agree with each other, each in its working dtype; any may be empty."""
    asarray = backend().asarray
    found = []
    for array in map(asarray, arrays):
        _require_real(operation, "an array", array)
        wide = array.dtype.kind == "f" and array.dtype.itemsize > 4
        found.append(asarray(array, _FLOAT64 if wide else _FLOAT32))
    return found


def upstream(operation: str, dy: Any, cache: Any, kind: type[Cache]) -> Any:
    """`dy` as an array of the shape and dtype of forward's y, if the cache is that forward's."""
    cache_of(operation, cache, kind)
    return like_y(operation, dy, cache.y_shape, cache.dtype)


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
    """`cache`, if it is what this operation's forward returned."""
    if not isinstance(cache, kind):
        raise TypeError(
            f"{operation}: expected the {kind.__name__} of its forward, got {type(cache).__name__}"
        )
    return cache


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


def update(operation: str, changed: dict[str, Any], **given: Any) -> Any:
    """The array that an update reads, once the arrays that it changes in place are fit for that.

    Parameters
    ----------
    operation : str
        Who asks, for the error messages.
    changed : dict of str to array
        What changes in place, by its name in the messages; the first is the pattern of all.
    **given
        The one array that stays, by its name.
    """
    (like, first), *_ = changed.items()
    for name, array in changed.items():
        if not isinstance(array, np.ndarray) or array.dtype not in (np.float32, np.float64):
            raise TypeError(
                f"{operation}: {name} must be an array of float32 or float64, "
                f"got {getattr(array, 'dtype', type(array).__name__)}"
            )
        if (array.shape, array.dtype) != (first.shape, first.dtype):
            raise ValueError(
                f"{operation}: {name} must be like {like}, {first.shape} of {first.dtype}, "
                f"got {array.shape} of {array.dtype}"
            )
        if not (array.flags.c_contiguous and array.flags.writeable):
            raise ValueError(
                f"{operation}: {name} must be C-contiguous and writeable, to be changed in place"
            )
    ((name, value),) = given.items()
    asarray = backend().asarray
    array = asarray(value)
    _require_numbers(operation, name, array)
    if array.shape != first.shape:
        raise ValueError(
            f"{operation}: {name} must have the shape of {like}, {first.shape}, got {array.shape}"
        )
    return asarray(array, first.dtype)
