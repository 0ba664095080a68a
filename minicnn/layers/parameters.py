"""Arrays that are learnt, and arrays that a saved state fills."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from minicnn.ops.backend import backend


class Parameter:
    """An array that is learnt.

    Attributes
    ----------
    name : str
        Unique within a model, for example ``"conv2d_1.w"``.
    data : ndarray
        Its value; optimizers change it in place. Another backend than the one that used it last
        puts an array of its own here.
    grad : ndarray or None
        Gradient of the loss, of the same shape: a new array from every backward, ``None`` before
        the first.
    decays : bool
        Whether weight decay applies by default: true of weights, false of biases and of batch
        norm's parameters.
    """

    def __init__(self, name: str, data: np.ndarray, *, decays: bool) -> None:
        self.name = name
        self.data = data
        self.grad: np.ndarray | None = None
        self.decays = decays

    def __repr__(self) -> str:
        return f"Parameter({self.name!r}, shape={self.data.shape}, dtype={self.data.dtype})"

    def data_here(self) -> Any:
        """`data`, which from now on lies where the chosen backend computes."""
        self.data = data = backend().asarray(self.data, self.data.dtype)
        return data


def here(array: Any) -> Any:
    """An array where the chosen backend computes: itself, if it is there."""
    return backend().asarray(array, array.dtype)


def copies(arrays: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Copies of arrays of any backend, as NumPy's."""
    return {name: np.array(array, order="C") for name, array in arrays.items()}


def load_arrays(own: dict[str, np.ndarray], given: dict[str, np.ndarray], whose: str) -> None:
    """Copy the arrays of `given` into those of `own`, all of them or, on an error, none.

    Raises
    ------
    ValueError
        Where a name is missing or unknown, a shape differs, or numbers are not real.
    """
    if missing := own.keys() - given.keys():
        raise ValueError(f"{whose}: the state lacks {', '.join(sorted(missing))}")
    if unknown := given.keys() - own.keys():
        raise ValueError(f"{whose}: the state has unknown {', '.join(sorted(unknown))}")
    taken = {name: np.asarray(given[name]) for name in own}
    for name, array in own.items():
        if taken[name].dtype.kind not in "biuf":
            raise ValueError(
                f"{whose}: {name} must hold real numbers, got dtype {taken[name].dtype}"
            )
        if taken[name].shape != array.shape:
            raise ValueError(
                f"{whose}: {name} must have shape {array.shape}, got {taken[name].shape}"
            )
    for name, array in own.items():
        array[...] = taken[name]
