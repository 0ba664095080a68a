"""What losses have in common: logits at which a right formula can still fail."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.operations.operation import Operation


@dataclass
class LossOperation(Operation):
    """Beside ordinary logits, some at which a right formula can still fail.

    Attributes
    ----------
    large : list of Case
        Every row of logits is far from 0; no probability is small. Small cases first.
    apart : list of Case
        Rows that lie far from one another.
    underflowing : list of Case
        The label's probability is too small for a float. Small cases first.
    """

    large: list[Case] = field(default_factory=list)
    apart: list[Case] = field(default_factory=list)
    underflowing: list[Case] = field(default_factory=list)


def loss_case(logits: np.ndarray, labels: Sequence[int]) -> Case:
    """Logits and the right classes."""
    return Case({"logits": logits, "labels": np.asarray(labels, np.int64)}, {})


def one_hot(case: Case) -> np.ndarray:
    """1 at the label, 0 elsewhere, (N, C)."""
    return np.eye(case["logits"].shape[1])[case["labels"]]
