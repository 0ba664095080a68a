"""Softmax and its cross-entropy: their cases, and what each fault would produce."""

from collections.abc import Callable

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
    """Every row far from 0, and all of them on one side."""
    spread = np.random.default_rng(71).standard_normal((5, 7))
    around = np.array([[1000.0], [1100.0], [900.0], [1050.0], [1200.0]])
    return [
        loss_case(np.array([[1000.0, 1000.0]]), [0]),
        loss_case(np.array([[1000.0, 1000.0], [1001.0, 1000.0]]), [0, 1]),
        loss_case(around + spread, [3, 0, 6, 3, 1]),
        loss_case(spread - around, [3, 0, 6, 3, 1]),
    ]


def _apart() -> list[Case]:
    """Rows of which some lie so far below the highest that their every exp becomes 0."""
    return [loss_case(np.array([[1000.0, 1000.0], [0.0, 0.0]]), [0, 1])]


def _underflowing() -> list[Case]:
    """The label's own logit is far below its row's maximum."""
    logits = np.random.default_rng(72).standard_normal((4, 3))
    logits[1, 0] = -2000
    logits[2, 2] = -1500
    return [loss_case(np.array([[0.0, -1000.0]]), [1]), loss_case(logits, [2, 0, 2, 1])]


def _without_labels(cases: list[Case]) -> list[Case]:
    """Cases of softmax alone."""
    return [Case({"x": case["logits"]}, {}) for case in cases]


def _count(case: Case) -> int:
    return len(case["labels"])


def _p(case: Case) -> np.ndarray:
    return reference.softmax(case["logits"])


def _loss(case: Case) -> float:
    return float(reference.softmax_cross_entropy_forward(case["logits"], case["labels"])[0])


def _over_the_batch(case: Case) -> np.ndarray:
    """exp over its sum along the batch, where the sum along the classes belongs."""
    exp = np.exp(case["logits"])
    return np.asarray(exp / exp.sum(0))


def _slip(text: str, loss: Callable[[Case], float]) -> Suspect:
    """A wrong loss that the catalogue does not name."""
    return Suspect("", lambda case: np.asarray(loss(case)), text)


def _gradient_slip(text: str, gradient: Callable[[Case], np.ndarray]) -> Suspect:
    """A wrong gradient that the catalogue does not name, for the mean over the batch."""
    return Suspect("", lambda case, dy: dy * gradient(case) / _count(case), text)


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
    large=_without_labels(_large()), apart=_without_labels(_apart()),
)

SOFTMAX_CROSS_ENTROPY = SoftmaxCrossEntropy(
    "softmax_cross_entropy", _ordinary(), _small(),
    [
        Suspect("softmax-missing-mean", lambda case: np.asarray(_loss(case) * len(case["labels"])),
                "The loss is the sum over the batch."),
        _slip("It has the wrong sign: the loss is -log p.", lambda case: -_loss(case)),
        _slip("p is taken with its sum along the batch; it belongs along the classes: axis=1, "
              "keepdims=True.", lambda case: -np.log(
                  _over_the_batch(case)[np.arange(_count(case)), case["labels"]]).mean()),
        _slip("p[:, y] takes every label's column in every row; p[np.arange(N), y] takes one "
              "number of each row.", lambda case: -np.log(_p(case)[:, case["labels"]]).mean()),
        _slip("p[:, y] takes every label's column in every row; p[np.arange(N), y] takes one "
              "number of each row.",
              lambda case: -np.log(_p(case)[:, case["labels"]]).sum() / _count(case)),
        _slip("This is the base-10 logarithm; the loss is made of the natural one, np.log.",
              lambda case: _loss(case) / np.log(10)),
        _slip("This is the base-2 logarithm; the loss is made of the natural one, np.log.",
              lambda case: _loss(case) / np.log(2)),
        _slip("It is averaged over the classes too: it is a mean over the N rows alone.",
              lambda case: _loss(case) / case["logits"].shape[1]),
        _slip("The logarithm is missing: the loss is -log p, not -p.",
              lambda case: -_p(case)[np.arange(_count(case)), case["labels"]].mean()),
    ],
    {
        "dlogits": [
            Suspect("softmax-missing-mean", lambda case, dy: dy * (_p(case) - one_hot(case)),
                    "The gradient is that of the sum."),
            Suspect("softmax-gradient-no-onehot", lambda case, dy: (
                dy * _p(case) / len(case["labels"]))),
            Suspect("softmax-gradient-no-onehot", lambda case, dy: dy * _p(case),
                    "Nor is it divided by N."),
            _gradient_slip("It has the wrong sign: p - 1 at the label.",
                           lambda case: one_hot(case) - _p(case)),
            _gradient_slip("1 is added at the label where it is subtracted.",
                           lambda case: _p(case) + one_hot(case)),
            _gradient_slip("d[:, y] -= 1 changes every label's column in every row; "
                           "d[np.arange(N), y] -= 1 changes one number of each row.",
                           lambda case: _p(case) - one_hot(case).any(0)),
            _gradient_slip("p is taken with its sum along the batch; it belongs along the classes: "
                           "axis=1, keepdims=True.",
                           lambda case: _over_the_batch(case) - one_hot(case)),
            _gradient_slip("It is divided by the number of classes too; N alone divides it.",
                           lambda case: (_p(case) - one_hot(case)) / case["logits"].shape[1]),
            _gradient_slip("It is divided by N twice.",
                           lambda case: (_p(case) - one_hot(case)) / _count(case)),
        ],
    },
    large=_large(), apart=_apart(), underflowing=_underflowing(),
)
