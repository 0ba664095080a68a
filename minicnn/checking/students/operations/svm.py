"""The hinge loss of a multiclass support vector machine: its cases, and what slips produce."""

from collections.abc import Callable

import numpy as np

from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.operations.loss import LossOperation, loss_case, one_hot
from minicnn.checking.students.operations.operation import Suspect


class HingeLoss(LossOperation):
    """L = (1/N) Σ(n) Σ(c ≠ label) max(0, z[n,c] - z[n,label] + 1); minicnn has no such operation.
    """

    def right_forward(self, case: Case) -> np.ndarray:
        return np.asarray(_margins(case).sum() / _count(case))

    def right_gradients(self, case: Case, dy: np.ndarray) -> list[np.ndarray]:
        return [dy * _slopes(case) / _count(case)]


def _count(case: Case) -> int:
    return len(case["labels"])


def _differences(case: Case) -> np.ndarray:
    """z[n,c] - z[n,label], (N, C)."""
    logits = case["logits"]
    return logits - logits[np.arange(len(logits)), case["labels"]][:, None]


def _margins(case: Case, width: float = 1.0) -> np.ndarray:
    """max(0, z[n,c] - z[n,label] + width) at every class but the label, (N, C)."""
    return np.maximum(_differences(case) + width, 0) * (1 - one_hot(case))


def _positive(case: Case) -> np.ndarray:
    """1 where a margin is positive, (N, C)."""
    return (_margins(case) > 0).astype(float)


def _slopes(case: Case) -> np.ndarray:
    """1 where a margin is positive, minus their number at the label, (N, C)."""
    return _positive(case) - one_hot(case) * _positive(case).sum(1, keepdims=True)


def _loss(text: str, loss: Callable[[Case], float]) -> Suspect:
    return Suspect("", lambda case: np.asarray(loss(case)), text)


def _gradient(text: str, gradient: Callable[[Case], np.ndarray]) -> Suspect:
    return Suspect("", lambda case, dy: dy * gradient(case), text)


_rng = np.random.default_rng(75)

SVM = HingeLoss(
    "svm",
    [
        loss_case(2 * _rng.standard_normal((5, 7)), [3, 0, 6, 3, 1]),
        loss_case(_rng.standard_normal((4, 3)), [2, 0, 1, 1]),
    ],
    [
        loss_case(np.array([[0.0, 0.5]]), [0]),
        loss_case(np.array([[0.0, 0.5], [2.5, 0.0]]), [0, 0]),
        loss_case(np.array([[1.0, 0.5, -1.5], [0.0, 2.5, 1.0]]), [2, 0]),
    ],
    [
        _loss("The margins are summed over the batch, not averaged: divide by N.",
              lambda case: _margins(case).sum()),
        _loss("The label's own class is counted: its margin is always 1, so the loss is 1 too "
              "large. The sum is over c ≠ label.",
              lambda case: _margins(case).sum() / _count(case) + 1),
        _loss("The label's own class is counted, and the sum over the batch is not divided by N.",
              lambda case: _margins(case).sum() + _count(case)),
        _loss("The 1 is missing in max(0, z[n,c] - z[n,label] + 1).",
              lambda case: _margins(case, 0.0).sum() / _count(case)),
        _loss("It is averaged over the classes too; over these it is a sum.",
              lambda case: _margins(case).mean()),
        _loss("The margins are squared.", lambda case: np.square(_margins(case)).sum()
              / _count(case)),
    ],
    {
        "dlogits": [
            _gradient("It is not divided by N, as the mean over the batch is.", _slopes),
            _gradient("At the label it lacks minus the number of positive margins of the row.",
                      lambda case: _positive(case) / _count(case)),
            _gradient("At the label it lacks minus the number of positive margins of the row, and "
                      "it is not divided by N.", _positive),
            _gradient("At the label stands -1 where minus the number of positive margins of the "
                      "row belongs.",
                      lambda case: (_positive(case) - one_hot(case)) / _count(case)),
            _gradient("At the label the number of positive margins is added where it is "
                      "subtracted.", lambda case: (
                          _positive(case) + one_hot(case) * _positive(case).sum(1, keepdims=True)
                      ) / _count(case)),
            _gradient("At the label the label's own margin is counted with the positive ones.",
                      lambda case: (_slopes(case) - one_hot(case)) / _count(case)),
            _gradient("The margins themselves stand where 1 belongs if a margin is positive.",
                      lambda case: (
                          _margins(case) - one_hot(case) * _margins(case).sum(1, keepdims=True)
                      ) / _count(case)),
        ],
    },
)
