"""Softmax and its cross-entropy: their cases, and what each fault would produce."""

import numpy as np

from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.operations.loss import LossOperation, loss_case, one_hot
from minicnn.checking.students.operations.operation import Suspect
from minicnn.ops import reference


class SoftmaxAlone(LossOperation):
    """``softmax(x)``, without labels."""

    def right_forward(self, case: Case) -> np.ndarray:
        return reference.softmax(case["x"])


class SoftmaxCrossEntropy(LossOperation):
    """The loss, whose backward takes the cache first."""

    def right_gradients(self, case: Case, dy: np.ndarray) -> list[np.ndarray]:
        _, cache = self._reference(case)
        return [reference.softmax_cross_entropy_backward(cache, float(dy))]


def _ordinary() -> list[Case]:
    rng = np.random.default_rng(70)
    return [
        loss_case(2 * rng.standard_normal((5, 7)), [3, 0, 6, 3, 1]),
        loss_case(rng.standard_normal((4, 3)), [2, 0, 1, 1]),
    ]


def _small() -> list[Case]:
    return [
        loss_case(np.array([[0.0, 0.0]]), [0]),
        loss_case(np.array([[1.0, 0.0], [0.0, 2.0]]), [0, 0]),
        loss_case(np.array([[1.0, 0.0, -1.0], [0.0, 2.0, 1.0]]), [2, 0]),
    ]


def _large() -> list[Case]:
    """Every row far from 0, and each elsewhere."""
    rng = np.random.default_rng(71)
    around = np.array([[1000.0], [-1000.0], [0.0], [800.0], [5000.0]])
    return [
        loss_case(np.array([[1000.0, 1000.0]]), [0]),
        loss_case(np.array([[1000.0, 1000.0], [0.0, 0.0]]), [0, 1]),
        loss_case(around + rng.standard_normal((5, 7)), [3, 0, 6, 3, 1]),
    ]


def _underflowing() -> list[Case]:
    logits = np.random.default_rng(72).standard_normal((4, 3))
    logits[1, 0] = -2000
    logits[2, 1] = 1500
    return [loss_case(np.array([[0.0, -1000.0]]), [1]), loss_case(logits, [2, 0, 2, 1])]


def _without_labels(cases: list[Case]) -> list[Case]:
    """Cases of softmax alone."""
    return [Case({"x": case["logits"]}, {}) for case in cases]


def _p(case: Case) -> np.ndarray:
    return reference.softmax(case["logits"])


def _loss(case: Case) -> float:
    return float(reference.softmax_cross_entropy_forward(case["logits"], case["labels"])[0])


def _summed_over(axis: int | None, text: str) -> list[Suspect]:
    """exp over its sum along another axis than the classes', whatever maximum was taken off."""

    def predict(case: Case, of: int | None) -> np.ndarray:
        exp = np.exp(case["x"] - case["x"].max(of, keepdims=True))
        return np.asarray(exp / exp.sum(axis, keepdims=True))

    text += "; each row's p sum to 1, so that it runs over the classes: axis=1, keepdims=True."
    return [
        Suspect("", lambda case, of=of: predict(case, of), text) for of in (None, 0, 1)
    ]


SOFTMAX = SoftmaxAlone(
    "softmax", _without_labels(_ordinary()), _without_labels(_small()),
    [
        *_summed_over(0, "The sum runs over the batch"),
        *_summed_over(None, "The sum runs over all rows"),
        Suspect("", lambda case: np.exp(case["x"]), "exp(x) is not divided by its sum."),
        Suspect("", lambda case: np.exp(case["x"] - case["x"].max(1, keepdims=True)),
                "exp(x - max x) is not divided by its sum."),
        Suspect("", lambda case: np.log(reference.softmax(case["x"])),
                "This is the logarithm of softmax."),
    ],
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
            Suspect("softmax-missing-mean", lambda case, dy: dy * (_p(case) - one_hot(case)),
                    "The gradient is that of the sum."),
            Suspect("softmax-gradient-no-onehot", lambda case, dy: (
                dy * _p(case) / len(case["labels"]))),
            Suspect("softmax-gradient-no-onehot", lambda case, dy: dy * _p(case),
                    "Nor is it divided by N."),
        ],
    },
    large=_large(), underflowing=_underflowing(),
)
