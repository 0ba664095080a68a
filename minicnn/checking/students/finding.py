"""What was found about one function, and its numbers as JSON takes them."""

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np


@dataclass
class Finding:
    """The verdict on one function of a student's file.

    Attributes
    ----------
    function : str
    verdict : {"correct", "wrong-forward", "wrong-backward", "error", "not-written", "not-checked"}
        ``"error"``: it raised, or returned the wrong number, shape or type of things.
        ``"not-written"``: the body of a starter, None, or zeros that nothing filled.
        ``"not-checked"``: its forward, or a module that it needs, cannot be used, so that nothing
        can be said.
    fault : str or None
        An id of `minicnn.checking.faults.FAULTS`; ``"unknown"`` for a wrong answer that none
        explains; None for a right one, and for the other verdicts where none explains them.
    message : str
        For the student.
    also : list of str
        Further faults that it takes to explain the answer.
    evidence : dict
        JSON-ready: the smallest input that shows it, the right answer and the one that came.
    equation : dict
        JSON-ready: "topic", "number" and "lines" of the one that gives what is wrong, in the
        student's names and layout; empty where nothing is wrong or no equation is known.
    """

    function: str
    verdict: str
    fault: str | None = None
    message: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)
    also: list[str] = field(default_factory=list)
    equation: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.fault is None and self.verdict.startswith("wrong"):
            self.fault = "unknown"

    def as_dict(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return asdict(self)


def numbers(array: Any) -> Any:
    """An array as nested lists of floats, rounded to ten digits; nan and inf as text."""
    values = np.asarray(array)
    if values.ndim:
        return [numbers(part) for part in values]
    if values.dtype.kind in "iu":
        return int(values)
    value = float(values)
    return float(f"{value:.10g}") if np.isfinite(value) else str(value)
