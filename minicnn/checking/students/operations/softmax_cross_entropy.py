"""Softmax and its cross-entropy: their cases, and what each fault would produce."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.operations.operation import Operation, Suspect
from minicnn.ops import reference


@dataclass
class SoftmaxOperation(Operation):
    """Beside ordinary logits, some at which a right formula can still fail.

    Attributes
    ----------
    large : list of Case
        Every row of logits is far from 0; no probability is small. Small cases first.
    underflowing : list of Case
        The label's probability is too small for a float. Small cases first.
    """

    large: list[Case] = field(default_factory=list)
    underflowing: list[Case] = field(default_factory=list)


class SoftmaxAlone(SoftmaxOperation):
    """``softmax(x)``, without labels."""

    def right_forward(self, case: Case) -> np.ndarray:
        return reference.softmax(case["x"])


class SoftmaxCrossEntropy(SoftmaxOperation):
    """The loss, whose backward takes the cache first."""

    def right_gradients(self, case: Case, dy: np.ndarray) -> list[np.ndarray]:
        _, cache = self._reference(case)
        return [reference.softmax_cross_entropy_backward(cache, float(dy))]


def _case(logits: np.ndarray, labels: Sequence[int]) -> Case:
    return Case({"logits": logits, "labels": np.asarray(labels, np.int64)}, {})


def _ordinary() -> list[Case]:
    rng = np.random.default_rng(70)
    return [
        _case(2 * rng.standard_normal((5, 7)), [3, 0, 6, 3, 1]),
        _case(rng.standard_normal((4, 3)), [2, 0, 1, 1]),
    ]


def _small() -> list[Case]:
    return [
        _case(np.array([[0.0, 0.0]]), [0]),
        _case(np.array([[1.0, 0.0], [0.0, 2.0]]), [0, 0]),
        _case(np.array([[1.0, 0.0, -1.0], [0.0, 2.0, 1.0]]), [2, 0]),
    ]


def _large() -> list[Case]:
    """Every row far from 0, and each elsewhere."""
    rng = np.random.default_rng(71)
    around = np.array([[1000.0], [-1000.0], [0.0], [800.0], [5000.0]])
    return [
        _case(np.array([[1000.0, 1000.0]]), [0]),
        _case(np.array([[1000.0, 1000.0], [0.0, 0.0]]), [0, 1]),
        _case(around + rng.standard_normal((5, 7)), [3, 0, 6, 3, 1]),
    ]


def _underflowing() -> list[Case]:
    logits = np.random.default_rng(72).standard_normal((4, 3))
    logits[1, 0] = -2000
    logits[2, 1] = 1500
    return [_case(np.array([[0.0, -1000.0]]), [1]), _case(logits, [2, 0, 2, 1])]


def _without_labels(cases: list[Case]) -> list[Case]:
    """Cases of softmax alone."""
    return [Case({"x": case["logits"]}, {}) for case in cases]


def _p(case: Case) -> np.ndarray:
    return reference.softmax(case["logits"])


def _onehot(case: Case) -> np.ndarray:
    return np.eye(case["logits"].shape[1])[case["labels"]]


def _loss(case: Case) -> float:
    return float(reference.softmax_cross_entropy_forward(case["logits"], case["labels"])[0])


SOFTMAX = SoftmaxAlone(
    "softmax", _without_labels(_ordinary()), _without_labels(_small()),
    large=_without_labels(_large()),
)

SOFTMAX_CROSS_ENTROPY = SoftmaxCrossEntropy(
    "softmax_cross_entropy", _ordinary(), _small(),
    [
        Suspect("softmax-missing-mean", lambda case: np.asarray(_loss(case) * len(case["labels"])),
                "The loss is the sum over the batch."),
    ],
    {
        "dlogits": [
            Suspect("softmax-missing-mean", lambda case, dy: dy * (_p(case) - _onehot(case)),
                    "The gradient is that of the sum."),
            Suspect("softmax-gradient-no-onehot", lambda case, dy: (
                dy * _p(case) / len(case["labels"]))),
            Suspect("softmax-gradient-no-onehot", lambda case, dy: dy * _p(case),
                    "Nor is it divided by N."),
        ],
    },
    large=_large(), underflowing=_underflowing(),
)
