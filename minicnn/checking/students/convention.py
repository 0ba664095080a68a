"""How a dialect writes an operation: names, arguments, and the layout of arrays.

The examination speaks one language: minicnn's names and layouts (NHWC, HWIO), float64. A
`Convention` turns one of its cases into a call of a student's function, and what comes back into
that language again.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minicnn.checking.students.operations.case import Case

Parameters = Mapping[str, inspect.Parameter] | None
Arguments = tuple[tuple, dict[str, Any]]

LAYOUTS: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "images": ((0, 3, 1, 2), (0, 2, 3, 1)),  # NHWC to NCHW, and back
    "filters": ((3, 2, 0, 1), (2, 3, 1, 0)),  # HWIO to (F, C, HH, WW), and back
    "filters first": ((3, 0, 1, 2), (1, 2, 3, 0)),  # HWIO to (F, HH, WW, C), and back
    "filters within": ((2, 0, 1, 3), (1, 2, 0, 3)),  # HWIO to (C, HH, WW, F), and back
    "transposed": ((1, 0), (1, 0)),
}
"""The axes of a dialect's arrays in terms of ours, and of ours in terms of the dialect's."""


@dataclass(frozen=True)
class Convention:
    """How one dialect writes one operation.

    Attributes
    ----------
    dialect : {"minicnn", "cs231n", "coursera"}
    operation : str
        minicnn's name of it.
    forward, backwards : str, tuple of str
        The functions' names.
    gradients : tuple of str
        What backward returns, as minicnn names it.
    layouts : dict
        For the arrays that are laid out otherwise than ours: a key of `LAYOUTS`, or
        ``"channels"`` for (1, C, 1, 1) where ours is (C,).
    call : callable
        A case, its arrays in the student's layout, and forward's parameters, to the arguments of
        forward.
    fits, fits_backward : callable
        Whether a forward (a backward without a forward) with these parameters is this dialect's.
    told_by_backward : bool
        Whether forward alone does not tell the dialects apart, so that `fits_backward` has a say
        where there is a backward beside it.
    lone_cache : callable or None
        The cache that the dialect prescribes, from a call's arguments; None where it prescribes
        none.
    unless : str
        A function whose presence means that `forward` is somebody's helper.
    among : tuple of str
        Functions of which the file must have one, where `forward` alone does not tell the dialect.
    asks : callable
        Whether the dialect says what is right for a case.
    lets_pass : callable
        A gradient's name, a case, dy, and what came (an array, or the exception that was raised),
        to the note with which the dialect lets it pass though it is not right; mostly nothing.
    backward_more : tuple
        What a backward is given after dy and the cache, if it takes so many.
    beside : Convention or None
        How the same functions are called for another operation, judged together with this one.
    has_cache : bool
        Whether forward returns a cache; a loss in CS231n's dialect returns its gradient there.
    labels : dict
        What the student calls an array or setting, where it is not minicnn's name; empty for a
        setting that the dialect does not have.
    """

    dialect: str
    operation: str
    forward: str
    backwards: tuple[str, ...]
    gradients: tuple[str, ...]
    layouts: dict[str, str]
    call: Callable[[Case, dict[str, np.ndarray], Parameters], Arguments]
    fits: Callable[[Parameters], bool] = lambda parameters: True
    fits_backward: Callable[[Parameters], bool] = lambda parameters: True
    told_by_backward: bool = False
    lone_cache: Callable[[tuple, dict[str, Any]], Any] | None = None
    unless: str = ""
    among: tuple[str, ...] = ()
    asks: Callable[[Case], bool] = lambda case: True
    lets_pass: Callable[[str, Case, np.ndarray, Any], str] = lambda *_: ""
    backward_more: tuple[Any, ...] = ()
    beside: "Convention | None" = None
    has_cache: bool = True
    labels: dict[str, str] = field(default_factory=dict)

    def label(self, name: str) -> str:
        """The student's name of an array."""
        return self.labels.get(name, name)

    def theirs(self, name: str, array: np.ndarray) -> np.ndarray:
        """A fresh array in the student's layout."""
        layout = self.layouts.get(name)
        if layout in LAYOUTS and array.ndim == len(LAYOUTS[layout][0]):
            array = array.transpose(LAYOUTS[layout][0])
        elif layout == "biases":
            array = _biases(array)
        elif layout == "unflattened" and array.ndim == 3:
            array = array[..., 0]
        elif layout == "unflattened" and array.ndim == 2 and array.shape[1] % 2 == 0:
            array = array.reshape(array.shape[0], 2, array.shape[1] // 2)
        elif layout == "channels" and array.ndim == 1:
            array = array.reshape(1, -1, 1, 1)
        return np.array(array, order="C")

    def ours(self, name: str, array: np.ndarray) -> np.ndarray:
        """What a student returned, in our layout where it has as many axes as it should."""
        layout = self.layouts.get(name)
        if layout in LAYOUTS and array.ndim == len(LAYOUTS[layout][0]):
            return array.transpose(LAYOUTS[layout][1])
        if layout == "biases":
            return _biases(array)
        if layout == "number" and array.size == 1:
            return array.reshape(())
        if layout == "unflattened":
            # one that was not brought back to x's shape is told by a last axis of 1
            if array.ndim == 3:
                return array.reshape(array.shape[0], array.shape[1] * array.shape[2])
            return array[..., None] if array.ndim == 2 else array
        if layout == "channels" and array.shape == (1, array.size, 1, 1):
            return array.reshape(-1)
        return array

    def their_shape(self, name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
        """A shape of ours as the student should see it."""
        return self.theirs(name, np.empty(shape)).shape

    def arguments(self, case: Case, parameters: Parameters) -> Arguments:
        """The arguments of the student's forward for a case: fresh arrays every time."""
        arrays = {name: self.theirs(name, array) for name, array in case.arrays.items()}
        return self.call(case, arrays, parameters)


def _biases(array: np.ndarray) -> np.ndarray:
    """(K,) to (1, 1, 1, K) and back, so that what has the other one's shape is told apart."""
    if array.ndim == 4 and array.shape[:3] == (1, 1, 1):
        return array.reshape(-1)
    return array.reshape(1, 1, 1, -1) if array.ndim == 1 else array


def takes(parameters: Parameters, name: str) -> bool:
    """Whether a function can be given this keyword."""
    return parameters is None or name in parameters or any(
        each.kind is each.VAR_KEYWORD for each in parameters.values()
    )


def most_positional(parameters: Parameters | list[inspect.Parameter]) -> int:
    """How many positional arguments a function can be given."""
    if parameters is None:
        return 99
    every = parameters if isinstance(parameters, list) else parameters.values()
    kinds = [each.kind for each in every]
    if inspect.Parameter.VAR_POSITIONAL in kinds:
        return 99
    return sum(
        kind in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        for kind in kinds
    )
