"""Whether a backward is the gradient of the forward beside it, right or wrong: by differences."""

from collections.abc import Iterable

import numpy as np

from minicnn.checking.differences import first_step, noise_level, slope
from minicnn.checking.students.operations.case import Case, upstream
from minicnn.checking.students.operations.observation import TOLERANCE
from minicnn.checking.students.subject import Forward, Subject, Trouble

SINGLE = float(np.finfo(np.float32).eps)
"""The precision that a student's forward may have inside."""

SAMPLED = 24
"""About how many elements of a gradient are compared with differences, at most."""


def agrees_with_own_forward(subject: Subject, name: str, cases: Iterable[Case]) -> bool:
    """Whether a backward is the gradient of the student's own forward, on every one of the cases
    that can tell; at least one must."""
    gradients = subject.convention.gradients
    compared = dict.fromkeys(gradients, 0)
    for case in cases:
        try:
            forward = subject.forward(case)
            dy = upstream(forward.y.shape, 99)
            received = subject.backward(name, dy, forward)
        except Trouble:
            continue
        for key, gradient in zip(gradients, received, strict=True):
            number = _compare(subject, case, key[1:], gradient, forward, dy)
            if number is None:
                return False
            compared[key] += number
    return min(compared.values()) > 0


def _compare(
    subject: Subject, case: Case, name: str, gradient: np.ndarray, forward: Forward, dy: np.ndarray
) -> int | None:
    """How many elements agree with differences of the student's forward; None if one does not."""
    array = case.arrays[name]
    if gradient.shape != array.shape or not np.isfinite(gradient).all():
        return None
    size = float(np.sqrt(np.square(array).mean())) or 1.0
    scale = max(float(np.abs(gradient).max(initial=0)), 1e-6)
    compared = 0
    every = list(np.ndindex(array.shape))
    for place in every[:: 1 + len(every) // SAMPLED]:

        def rise(t: float, place: tuple[int, ...] = place) -> float:
            moved = array.copy()
            moved[place] += t
            changed = Case({**case.arrays, name: moved}, case.settings)
            try:
                y = subject.forward(changed).y
            except Trouble:
                return np.nan
            return float(((y - forward.y) * dy).sum()) if y.shape == dy.shape else np.nan

        rounding = 2 * noise_level(rise, 1e-5 * size) + 1e-12
        found = slope(rise, first_step(SINGLE, size), rounding, TOLERANCE * scale)
        if found.kink or not found.uncertainty <= 100 * TOLERANCE * scale:
            continue
        if abs(found.value - gradient[place]) > 10 * TOLERANCE * scale + found.uncertainty:
            return None
        compared += 1
    return compared
