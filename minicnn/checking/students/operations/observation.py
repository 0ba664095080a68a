"""An answer beside the right one, and when two arrays count as the same."""

from dataclasses import dataclass

import numpy as np

from minicnn.checking.students.operations.case import Case

TOLERANCE = 1e-4
"""Of a right answer, relative to its largest element: float32 inside is right, a fault is not."""


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
    finite = np.isfinite(expected)
    if not np.array_equal(np.where(finite, 0, received), np.where(finite, 0, expected),
                          equal_nan=True):
        return False
    received, expected = received[finite], expected[finite]
    if not np.isfinite(received).all():
        return False
    scale = np.abs(expected).max(initial=0)
    return bool(np.abs(received - expected).max(initial=0) <= tolerance * max(scale, 1e-12))
