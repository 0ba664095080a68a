"""What a wrong answer is that no fault explains: the right formula with one change, in words.

The right formula is the reference's. Each of its mutants is tried, and one is told only if it gives
what came on every case.
"""

import warnings
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np

from minicnn.checking.mutants import KINDS, Mutant, mutants
from minicnn.checking.students.operations.observation import Observation, agree
from minicnn.checking.students.operations.operation import Operation
from minicnn.ops.backend import OPERATIONS, other_bodies

AXES = {
    "conv2d": ("N", "H", "W", "the channels"), "pool2d": ("N", "H", "W", "the channels"),
}
"""What the axes of the reference's arrays are called where its sums count them by number."""


def changed_formula(
    operation: Operation, key: str, gradients: Sequence[str], seen: Sequence[Observation]
) -> str:
    """A sentence about the one change of the right formula that gives all that came; or nothing.

    Parameters
    ----------
    operation : Operation
    key : str
        ``"y"``, or one of the gradients.
    gradients : sequence of str
        What backward returns, in its order.
    seen : sequence of Observation
    """
    file = _file_of(operation.name)
    if not file or not all(each.shape_is_right for each in seen):
        return ""

    def answer(each: Observation) -> np.ndarray:
        if each.dy is None:
            return operation.right_forward(each.case)
        return operation.right_gradients(each.case, each.dy)[gradients.index(key)]

    # small wrong answers first: they refuse most mutants, and soon
    ordered = sorted(seen, key=lambda each: (each.right, each.received.size))
    for mutant in _mutants(file):
        if _may_change(mutant, operation.name, key) and _gives(mutant, ordered, answer):
            return in_words(mutant)
    return ""


def _file_of(operation: str) -> str:
    """The reference's file of an operation; empty where it is none of the package's."""
    door = OPERATIONS.get(f"{operation}_forward") or OPERATIONS.get(operation)
    return door.__module__.rpartition(".")[2] if door else ""


@cache
def _mutants(file: str) -> list[Mutant]:
    return list(mutants(file, list(KINDS), everywhere=True))


def _may_change(mutant: Mutant, operation: str, key: str) -> bool:
    """Whether a change can show there: not if it is in another operation, nor in a backward where y
    is asked for."""
    of_backward = f"{operation}_backward"
    others = {
        name for name in OPERATIONS if name.endswith(("_forward", "_backward"))
    } - {f"{operation}_forward", of_backward}
    return mutant.function not in others and (key != "y" or mutant.function != of_backward)


def _gives(
    mutant: Mutant, seen: Sequence[Observation], answer: Callable[[Observation], np.ndarray]
) -> bool:
    """Whether the mutant's answers are what came, on every case."""
    with (
        other_bodies("reference", mutant.bodies()), np.errstate(all="ignore"),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        try:
            return all(agree(each.received, np.asarray(answer(each))) for each in seen)
        except Exception:  # a change that makes nonsense
            return False


def in_words(mutant: Mutant) -> str:
    """The change as a sentence."""
    names = AXES.get(mutant.file)
    if mutant.kind == "axes" and names:
        before, after = (set(map(int, _digits(text))) for text in (mutant.before, mutant.after))
        lost = names[(before - after).pop()]
        return f"What came is the right formula with the sum over {lost} left out."
    if mutant.after == "pass":
        change = f"without its line `{mutant.before}`"
    elif " " in mutant.before:  # what tells by itself where it stands
        change = f"with `{mutant.after}` in place of `{mutant.before}`"
    else:
        change = f"with `{mutant.changed}` in place of `{mutant.statement}`"
    return (
        f"What came is what minicnn's own formula gives {change} "
        f"({mutant.function}, in minicnn's names and axes)."
    )


def _digits(text: str) -> list[str]:
    return [each for each in text if each.isdigit()]
