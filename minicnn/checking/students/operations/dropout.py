"""Dropout, whose mask is the student's own: what was dropped is read off, and tells the fault."""

from dataclasses import dataclass

import numpy as np

from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.operations.operation import Operation

RATES = (0.3, 0.6)
"""Probabilities of dropping: far from their complements."""

STANDARD_ERRORS = 6
"""By which the share of kept values may differ from its probability."""


def _case(shape: tuple[int, ...], rate: float, training: bool) -> Case:
    x = np.random.default_rng([60, *shape]).uniform(0.5, 2, shape)
    x *= np.where(np.random.default_rng([61, *shape]).random(shape) < 0.5, -1, 1)
    settings = {"rate": rate, "training": training, "rng": np.random.default_rng([62, *shape])}
    return Case({"x": x}, settings)


def dropout_cases(training: bool) -> list[Case]:
    """Cases, large enough for statistics, with generators that have not drawn yet."""
    return [_case((67, 71), rate, training) for rate in RATES] + [
        _case((5, 17, 14, 3), RATES[0], training)
    ]


@dataclass(frozen=True)
class Mask:
    """What dropout did to each value: the share that was kept, and the factor on those."""

    share: float
    factor: float | None
    per_row: bool

    @classmethod
    def of(cls, x: np.ndarray, y: np.ndarray) -> "Mask":
        """Read off y / x; a factor of None where it is not one number."""
        ratio = y / x
        kept = ratio != 0
        factors = ratio[kept]
        one = factors.size > 0 and bool(np.isfinite(factors).all())
        one = one and np.ptp(factors) <= 1e-4 * np.abs(factors).max()
        flat = kept.reshape(len(kept), -1)
        same = bool((flat == flat[:1]).all() or (flat == flat[:, :1]).all())
        return cls(
            float(kept.mean()), float(factors.mean()) if one else None, same and not kept.all()
        )

    def keeps(self, probability: float, size: int) -> bool:
        """Whether the share may be that of independent draws with this probability."""
        error = np.sqrt(probability * (1 - probability) / size)
        return bool(abs(self.share - probability) <= STANDARD_ERRORS * error)

    def scales(self, factor: float) -> bool:
        """Whether every kept value was multiplied by this."""
        return self.factor is not None and bool(np.isclose(self.factor, factor, 1e-4))


def is_right_in_training(mask: Mask, keep: float, size: int) -> bool:
    """Whether so many values were kept, each by a draw of its own, and scaled as they should."""
    return mask.keeps(keep, size) and mask.scales(1 / keep) and not mask.per_row


def fault_in_training(mask: Mask, keep: float, size: int) -> str | None:
    """Id of the fault that a training forward's wrong mask shows, or None."""
    if mask.per_row:
        return None
    if mask.keeps(1 - keep, size) or (mask.keeps(keep, size) and mask.scales(1 / (1 - keep))):
        return "dropout-keep-drop-swapped"
    if mask.keeps(keep, size) and mask.scales(1):
        return "dropout-not-scaled"
    return None


def fault_in_evaluation(mask: Mask) -> str | None:
    """Id of the fault where evaluation, forward or backward, is no identity, or None."""
    return "dropout-scaled-in-eval" if mask.factor is not None else None


def fault_in_backward(
    dy: np.ndarray, dx: np.ndarray, factors: np.ndarray, keep: float
) -> str | None:
    """Id of the fault that a wrong dx in training shows, or None.

    Parameters
    ----------
    dy, dx : ndarray
        What backward was given and what it returned.
    factors : ndarray
        What forward multiplied each x by.
    keep : float
        Probability of keeping.
    """
    mask = Mask.of(dy, dx)
    if np.array_equal(dx != 0, factors != 0):
        return "dropout-keep-drop-swapped" if mask.scales(1 / (1 - keep)) else None
    readable = Mask.of(np.ones(dy.shape), factors).factor is not None
    return "dropout-new-mask-in-backward" if readable and mask.factor is not None else None


DROPOUT = Operation("dropout", dropout_cases(training=True), [])
