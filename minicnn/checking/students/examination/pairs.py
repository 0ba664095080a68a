"""Two faults at once: what comes where one of them changes what the other has left.

A fault can act before another, on what it reads: flipped filters, a bias that is not there. Or it
acts after it, on the answer: another factor, a term that is not added. Both are seen in what the
suspects predict, so that no pair has to be written down.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from minicnn.checking.students.operations.observation import Observation, agree
from minicnn.checking.students.operations.operation import Explanation, Suspect

Change = Callable[[np.ndarray], np.ndarray]
"""What a fault makes of an answer."""


def explained_by_two(
    suspects: Sequence[Suspect], seen: Sequence[Observation]
) -> Explanation | None:
    """The first two suspects of different faults that together explain every observation, where
    none does alone; the one that the catalogue names comes first, or the likelier."""
    if not all(each.shape_is_right for each in seen):
        return None
    with np.errstate(all="ignore"):
        for pair in itertools.chain(_before(suspects, seen), _after(suspects, seen)):
            first, second = sorted(pair, key=lambda each: (not each.fault, suspects.index(each)))
            if first.fault != second.fault or not first.fault:
                faults = [first.fault] if first.fault else []
                return Explanation(faults, f"{first.detail} {second.detail}", second.fault)
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
    predicted = [_predictions(suspect, seen) for suspect in suspects]
    changes = [
        [_change(each.expected, own) for each, own in zip(seen, answers, strict=True)]
        for answers in predicted
    ]
    for one, of_one in zip(suspects, changes, strict=True):
        if any(change is None for change in of_one):
            continue
        for other, answers in zip(suspects, predicted, strict=True):
            if other is not one and all(
                change is not None and answer is not None and agree(each.received, change(answer))
                for each, change, answer in zip(seen, of_one, answers, strict=True)
            ):
                yield one, other


def _predictions(suspect: Suspect, seen: Sequence[Observation]) -> list[np.ndarray | None]:
    """What a suspect says of every case; None where that has another shape than the right one."""
    answers = []
    for each in seen:
        answer = suspect.prediction(each)
        answers.append(answer if answer.shape == each.expected.shape else None)
    return answers


def _change(right: np.ndarray, wrong: np.ndarray | None) -> Change | None:
    """How one answer becomes the other, if in one way everywhere: by a factor, or by a term and a
    factor for each channel, which is the last axis."""
    if wrong is None or not wrong.ndim or not np.isfinite(wrong).all():
        return None
    if agree(wrong, right):
        return lambda answer: answer
    factor = float((wrong * right).sum() / np.square(right).sum())
    if right.size > 1 and agree(wrong, factor * right):
        return lambda answer: factor * answer
    rows, wrong_rows = (array.reshape(-1, array.shape[-1]) for array in (right, wrong))
    if len(rows) < 3 or np.ptp(rows, axis=0).min() == 0:
        return None
    centred = rows - rows.mean(0)
    factors = (centred * wrong_rows).sum(0) / np.square(centred).sum(0)
    terms = wrong_rows.mean(0) - factors * rows.mean(0)
    if not agree(wrong, factors * right + terms):
        return None
    return lambda answer: factors * answer + terms
