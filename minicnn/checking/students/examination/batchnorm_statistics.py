"""Running statistics: where a file leaves them, in which shapes, and what is said of wrong ones.

CS231n hands them over in a dict and lets the function make them where they are not there. What it
makes itself, of shape (1, C, 1, 1) for example, is as right as what the course gives, of shape
(C,); so it is asked first, and then given the shape that it makes.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from minicnn.checking.students.convention import Convention
from minicnn.checking.students.examination.evidence import (
    lesson,
    show_observation,
    unexplained,
    worst,
)
from minicnn.checking.students.examination.normalisation import Patterns
from minicnn.checking.students.finding import Finding
from minicnn.checking.students.operations.batchnorm_running import STATISTICS
from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.operations.observation import Observation
from minicnn.checking.students.subject import Subject, Trouble


def running_array(convention: Convention, arguments: tuple, key: str) -> np.ndarray:
    """A running array as the student's function left it, without axes of one element; not finite
    and of another shape than any channel's where it is none."""
    value = _left(convention, arguments, key)
    try:
        array = np.asarray(value, np.float64)
    except Exception:
        return np.array(np.nan)
    return array.reshape(-1) if array.ndim and array.size == max(array.shape) else array


def shapes_left(subject: Subject, case: Case, *, given: bool) -> dict[str, tuple[int, ...]]:
    """The shapes in which a forward leaves the running statistics that it is given, or makes."""
    arrays = {key: array for key, array in case.arrays.items() if given or key not in STATISTICS}
    try:
        forward = subject.forward(Case(arrays, case.settings))
    except Trouble:
        return {}
    left = {key: _left(subject.convention, forward.arguments, key) for key in STATISTICS}
    return {key: array.shape for key, array in left.items() if isinstance(array, np.ndarray)}


def patterns_of(shapes: Mapping[str, tuple[int, ...]], channels: int) -> Patterns:
    """Those of the shapes that have C elements in another shape than (C,)."""
    return {
        key: tuple(-1 if size == channels else 1 for size in shape)
        for key, shape in shapes.items()
        if len(shape) > 1 and np.prod(shape) == max(shape) == channels
    }


def _left(convention: Convention, arguments: tuple, key: str) -> Any:
    if convention.dialect == "cs231n":
        return arguments[3].get(key)
    return arguments[3 + (key == "running_var")]


def about_statistic(
    convention: Convention, fault: str | None, key: str, seen: Observation, text: str = ""
) -> Finding:
    """A finding about a running array that is wrong."""
    if seen.shape_is_right:
        element = worst(convention, seen, key)[0]
        place, right, came = element["index"], element["expected"], element["received"]
        text = f"{key}{place} should be {right:.6g}, got {came}. {text}"
    else:
        text = f"{key} should have shape {seen.expected.shape}, got {seen.received.shape}. {text}"
    if fault is None:
        text = unexplained(convention, key, text)
    shown = show_observation(convention, seen, key)
    return lesson(convention.forward, "wrong-forward", fault, text, shown)
