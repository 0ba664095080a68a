"""Dropout, whose mask is the student's own: what was dropped is read off, and tells the fault."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.operations.operation import Operation

RATES = (0.3, 0.6)
"""Probabilities of dropping: far from their complements."""

STANDARD_ERRORS = 6
"""By which the share of kept values may differ from its probability."""


def dropout_case(
    shape: tuple[int, ...], rate: float, training: bool, p_drops: bool = False, salt: int = 0
) -> Case:
    """A case with a generator that has not drawn yet; where p drops, the student's p is the rate,
    else the probability of keeping."""
    x = np.random.default_rng([60, *shape]).uniform(0.5, 2, shape)
    x *= np.where(np.random.default_rng([61, *shape]).random(shape) < 0.5, -1, 1)
    settings = {
        "rate": rate, "training": training, "rng": np.random.default_rng([62, salt, *shape]),
        **({"p_drops": True} if p_drops else {}),
    }
    return Case({"x": x}, settings)


def dropout_cases(training: bool, p_drops: bool = False) -> list[Case]:
    """Cases, large enough for statistics: rows, then images."""
    return [dropout_case((67, 71), rate, training, p_drops) for rate in RATES] + [
        dropout_case((5, 17, 14, 3), RATES[0], training, p_drops)
    ]


@dataclass(frozen=True)
class Mask:
    """What dropout did to each value.

    Attributes
    ----------
    share : float
        Of the values that were kept.
    factor : float or None
        By which those were multiplied; None where it is not one number.
    shared : tuple of int
        Axes along which one draw serves all values.
    shape : tuple of int
        The array's.
    """

    share: float
    factor: float | None
    shared: tuple[int, ...]
    shape: tuple[int, ...]

    @classmethod
    def of(cls, x: np.ndarray, y: np.ndarray) -> "Mask":
        """Read off y / x."""
        ratio = y / x
        kept = ratio != 0
        factors = ratio[kept]
        one = factors.size > 0 and bool(np.isfinite(factors).all())
        one = one and np.ptp(factors) <= 1e-4 * np.abs(factors).max()
        shared = tuple(
            axis for axis in range(kept.ndim) if (kept == kept.take([0], axis)).all()
        )
        return cls(float(kept.mean()), float(factors.mean()) if one else None, shared, x.shape)

    @property
    def is_whole(self) -> bool:
        """Whether all values were kept, or none."""
        return self.share in (0, 1)

    @property
    def is_shared(self) -> bool:
        """Whether several values had to share a draw, though not all of them."""
        return bool(self.shared) and not self.is_whole

    def keeps(self, probability: float) -> bool:
        """Whether the share may be that of independent draws with this probability."""
        error = np.sqrt(probability * (1 - probability) / math.prod(self.shape))
        return bool(abs(self.share - probability) <= STANDARD_ERRORS * error)

    def scales(self, factor: float) -> bool:
        """Whether every kept value was multiplied by this."""
        return self.factor is not None and bool(np.isclose(self.factor, factor, 1e-4))


def is_right_in_training(mask: Mask, keep: float) -> bool:
    """Whether so many values were kept, each by a draw of its own, and scaled as they should."""
    return mask.keeps(keep) and mask.scales(1 / keep) and not mask.is_shared


def fault_in_training(masks: Sequence[Mask], keeps: Sequence[float]) -> str | None:
    """Id of the fault that explains every mask of a training forward, or None.

    Parameters
    ----------
    masks : sequence of Mask
    keeps : sequence of float
        The probability of keeping for each.
    """
    pairs = list(zip(masks, keeps, strict=True))
    if any(mask.is_shared for mask in masks):
        return "dropout-mask-shared"
    if all(
        mask.keeps(1 - keep) or (mask.keeps(keep) and mask.scales(1 / (1 - keep)))
        for mask, keep in pairs
    ):
        return "dropout-keep-drop-swapped"
    if all(mask.keeps(keep) and mask.scales(1) for mask, keep in pairs):
        return "dropout-not-scaled"
    if normal_numbers(masks, keeps) is not None:
        return "dropout-mask-from-normal"
    return None


def second_fault_in_training(
    masks: Sequence[Mask], keeps: Sequence[float], first: str | None
) -> str:
    """Id of what every mask shows beside a first fault, or nothing.

    Where values share a draw there are too few draws to measure a probability; the nearer of the
    two counts.
    """
    pairs = list(zip(masks, keeps, strict=True))
    if first == "dropout-mask-shared" and all(
        abs(mask.share - keep) > abs(mask.share - (1 - keep)) for mask, keep in pairs
    ) and not any(mask.is_whole for mask in masks):
        return "dropout-keep-drop-swapped"
    if first not in (None, "dropout-not-scaled") and all(mask.scales(1) for mask in masks):
        return "dropout-not-scaled"
    return ""


NORMAL_NUMBERS = {
    "below {p:g}": lambda p: _below(p),
    "above {p:g}": lambda p: 1 - _below(p),
    "between {minus:g} and {p:g}": lambda p: _below(p) - _below(-p),
    "outside {minus:g} to {p:g}": lambda p: 2 * _below(-p),
}
"""The share of normal numbers that lie so, by what is said of it."""


def _below(p: float) -> float:
    """The share of normal numbers below p."""
    return (1 + math.erf(p / math.sqrt(2))) / 2


def normal_numbers(masks: Sequence[Mask], keeps: Sequence[float]) -> str | None:
    """Which normal numbers were kept, where it was they that met the probability, for the first
    mask; None where no such comparison explains every mask."""
    for of_complement in (False, True):
        levels = [1 - keep if of_complement else keep for keep in keeps]
        for where, share in NORMAL_NUMBERS.items():
            if all(
                mask.keeps(share(level)) for mask, level in zip(masks, levels, strict=True)
            ):
                place = where.format(p=levels[0], minus=-levels[0])
                return f"{share(levels[0]):.0%} of normal numbers lie {place}"
    return None


def share_in_words(masks: Sequence[Mask], keeps: Sequence[float]) -> str:
    """Which other probability explains how many values every mask keeps, if one does."""
    pairs = list(zip(masks, keeps, strict=True))
    if all(mask.share == 1 for mask in masks):
        return "Nothing is dropped."
    if all(mask.keeps(0.5) for mask in masks):
        return "Half of the values stay, whatever the probability is."
    if all(mask.keeps((1 + keep) / 2) or mask.keeps(keep / 2) for mask, keep in pairs):
        return "That is the share of numbers between -1 and 1; the draws lie between 0 and 1."
    return ""


def factor_in_words(factor: float | None, keep: float) -> str:
    """How a wrong factor comes about, if it is one of the usual; empty where it does not."""
    for other, words in (
        (1, "is not divided by the probability of keeping."),
        (keep, "is multiplied by the probability of keeping; it is divided by it."),
        (1 / keep**2, "is divided by the probability of keeping twice."),
        (1 - keep, "is multiplied by the probability of dropping; it is divided by that of "
                   "keeping."),
        (1 / (1 - keep), "is divided by the probability of dropping; that of keeping belongs "
                         "there."),
    ):
        if factor is not None and np.isclose(factor, other, 1e-4):
            return f"What stays {words}"
    return ""


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
    mask, own = Mask.of(dy, dx), Mask.of(np.ones(dy.shape), factors)
    if np.array_equal(dx != 0, factors != 0):
        if mask.scales(1) and own.factor is not None:
            return "dropout-backward-not-scaled"
        return "dropout-keep-drop-swapped" if mask.scales(1 / (1 - keep)) else None
    if np.array_equal(dx != 0, factors == 0):
        return None
    readable = own.factor is not None and mask.factor is not None
    return "dropout-new-mask-in-backward" if readable else None


DROPOUT = Operation("dropout", dropout_cases(training=True), [])
