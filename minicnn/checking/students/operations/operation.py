"""What is to be known about an operation in order to examine a student's version of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minicnn.checking.students.conventions import Case
from minicnn.ops import reference

TOLERANCE = 1e-4
"""Of a right answer, relative to its largest element: float32 inside is right, a fault is not."""


@dataclass(frozen=True)
class Suspect:
    """What a fault would have produced.

    Attributes
    ----------
    fault : str
        Its id.
    predict : callable
        A case, or a case and dy, to the array that this fault would have returned.
    detail : str
        What the message adds to the catalogue's lesson.
    """

    fault: str
    predict: Callable[..., np.ndarray]
    detail: str = ""

    def explains(self, observations: Sequence["Observation"]) -> bool:
        """Whether this fault would have given just what came, on every case."""
        for seen in observations:
            arguments = (seen.case,) if seen.dy is None else (seen.case, seen.dy)
            with np.errstate(all="ignore"):
                if not agree(seen.received, np.asarray(self.predict(*arguments))):
                    return False
        return True


@dataclass(frozen=True)
class Observation:
    """One answer beside the right one, in our layout."""

    case: Case
    received: np.ndarray
    expected: np.ndarray
    dy: np.ndarray | None = None

    @property
    def right(self) -> bool:
        """Whether it is right, to a single precision's rounding."""
        return agree(self.received, self.expected)

    @property
    def shape_is_right(self) -> bool:
        """Whether its shape is."""
        return self.received.shape == self.expected.shape


def agree(received: np.ndarray, expected: np.ndarray, tolerance: float = TOLERANCE) -> bool:
    """Whether two arrays have one shape and the same values, relative to the largest."""
    if received.shape != expected.shape:
        return False
    if not (np.isfinite(received).all() and np.isfinite(expected).all()):
        return bool(np.array_equal(received, expected, equal_nan=True))
    scale = np.abs(expected).max(initial=0)
    return bool(np.abs(received - expected).max(initial=0) <= tolerance * max(scale, 1e-12))


@dataclass
class Operation:
    """What is to be known about one operation in order to examine it.

    Attributes
    ----------
    name : str
        minicnn's name; the reference's functions say what is right.
    cases : list of Case
        On which it is judged; together they expose every fault.
    small : list of Case
        Ever larger; the first that shows a fault is what the student sees.
    forward_suspects : list of Suspect
        Likeliest first.
    backward_suspects : dict
        Lists of suspects by the gradient's name.
    explain : dict
        By the gradient's name, functions that look at observations themselves before the suspects
        are asked; they return a fault and a sentence, or None.
    also_right : dict
        By the gradient's name, whether another answer than the reference's is as right.
    blame : tuple of str
        Gradients in the order in which they are named where several are wrong; by default that of
        the convention.
    """

    name: str
    cases: list[Case]
    small: list[Case]
    forward_suspects: list[Suspect] = field(default_factory=list)
    backward_suspects: dict[str, list[Suspect]] = field(default_factory=dict)
    explain: dict[str, Callable[[list[Observation]], tuple[str | None, str] | None]] = field(
        default_factory=dict
    )
    also_right: dict[str, Callable[[Case, np.ndarray, np.ndarray], bool]] = field(
        default_factory=dict
    )
    blame: tuple[str, ...] = ()

    def right_forward(self, case: Case) -> np.ndarray:
        """The reference's y."""
        return np.asarray(self._reference(case)[0])

    def right_gradients(self, case: Case, dy: np.ndarray) -> list[np.ndarray]:
        """The reference's gradients."""
        _, cache = self._reference(case)
        backward = getattr(reference, f"{self.name}_backward")
        gradients = (
            backward(cache, float(dy)) if self.name == "softmax_cross_entropy"
            else backward(dy, cache)
        )
        return list(gradients) if isinstance(gradients, tuple) else [gradients]

    def _reference(self, case: Case) -> Any:
        arrays = {name: array.copy() for name, array in case.arrays.items()}
        return getattr(reference, f"{self.name}_forward")(*arrays.values(), **case.settings)


def upstream(shape: tuple[int, ...], salt: int = 0) -> np.ndarray:
    """A dy that hides nothing: normal numbers that have nothing to do with any case's inputs."""
    return np.random.default_rng([7919, salt]).standard_normal(shape)
