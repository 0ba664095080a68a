"""Two faults at once: what comes where one of them changes what the other has left.

A fault can act before another, on what it reads: flipped filters, a bias that is not there. Or it
acts after it, on the answer: another factor, a term that is not added. Both are seen in what the
suspects predict, so that no pair has to be written down.
"""

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from minicnn.checking.students.operations.observation import TOLERANCE, Observation, agree
from minicnn.checking.students.operations.operation import Explanation, Suspect


def explained_by_two(
    suspects: Sequence[Suspect], seen: Sequence[Observation]
) -> Explanation | None:
    """The first two suspects of different faults that together explain every observation, where
    none does alone; the one that the catalogue names comes first, or the likelier."""
    suspects = [suspect for suspect in suspects if suspect.in_pairs]
    with np.errstate(all="ignore"):
        for pair in itertools.chain(_before(suspects, seen), _after(suspects, seen)):
            first, second = sorted(pair, key=lambda each: (not each.fault, suspects.index(each)))
            if first.fault != second.fault or not first.fault:
                if second.fault:
                    also = second.fault, second.detail
                    return Explanation([first.fault], first.detail, also)
                faults = [first.fault] if first.fault else []
                return Explanation(faults, f"{first.detail} {second.detail}".strip())
    return None


def _before(
    suspects: Sequence[Suspect], seen: Sequence[Observation]
) -> Iterator[tuple[Suspect, Suspect]]:
    """Pairs of a fault in what is read, and any other."""
    for one in suspects:
        if one.reads is None:
            continue
        read = [
            Observation(one.reads(each.case), each.received, each.expected, each.dy)
            for each in seen
        ]
        for other in suspects:
            if other is not one and other.explains(read):
                yield one, other


def _after(
    suspects: Sequence[Suspect], seen: Sequence[Observation]
) -> Iterator[tuple[Suspect, Suspect]]:
    """Pairs of a fault that changes every answer in one way, and any other."""
    if not suspects or not all(each.shape_is_right and each.received.ndim for each in seen):
        return
    answers = [_predictions(suspects, each) for each in seen]
    for at, one in enumerate(suspects):
        left = np.ones(len(suspects), bool)
        for each, predicted in zip(seen, answers, strict=True):
            change = _change(each.expected, predicted[at])
            if change is None:
                break
            left &= _agree_with(each.received, change[0] * predicted + change[1])
            if not left.any():
                break
        else:
            for other in np.flatnonzero(left):
                if other != at:
                    yield one, suspects[int(other)]


def _predictions(suspects: Sequence[Suspect], seen: Observation) -> np.ndarray:
    """What all suspects say of a case; NaN for one that says another shape than the right one."""
    answers = np.full((len(suspects), *seen.expected.shape), np.nan)
    for at, suspect in enumerate(suspects):
        answer = suspect.prediction(seen)
        if answer.shape == seen.expected.shape:
            answers[at] = answer
    return answers


def _agree_with(received: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """Which of several answers are the one that came."""
    axes = tuple(range(1, answers.ndim))
    scale = np.maximum(np.abs(answers).max(axes, initial=0), 1e-12)
    return np.abs(answers - received).max(axes, initial=0) <= TOLERANCE * scale


def _change(right: np.ndarray, wrong: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """The factor and the term that make one answer the other: of all of it, or of each channel,
    which is the last axis; None where there are none."""
    none = np.zeros(())
    if not np.isfinite(wrong).all():
        return None
    factor = (wrong * right).sum() / np.square(right).sum()
    if right.size > 1 and agree(wrong, factor * right):
        return factor, none
    rows, wrong_rows = (array.reshape(-1, array.shape[-1]) for array in (right, wrong))
    if len(rows) < 3 or np.ptp(rows, axis=0).min() == 0:
        return None
    centred = rows - rows.mean(0)
    factors = (centred * wrong_rows).sum(0) / np.square(centred).sum(0)
    terms = wrong_rows.mean(0) - factors * rows.mean(0)
    return (factors, terms) if agree(wrong, factors * right + terms) else None
