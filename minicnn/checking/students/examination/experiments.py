"""Failures that no suspect explains: a case is changed in one respect, and the fault is gone."""

from collections.abc import Callable, Sequence

from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.operations.operation import Twin


def explaining_twin(
    twins: Sequence[Twin], cases: Sequence[Case], is_right: Callable[[Case], bool | None]
) -> Twin | None:
    """The first experiment whose twins are right wherever the cases fail, below 0 as well.

    A fault that shows in some cases only must have shown in two, so that it is no accident. A case
    of which nothing can be said is None.
    """
    if not twins:
        return None
    outcomes = [(case, is_right(case)) for case in cases]
    failing = [case for case, right in outcomes if right is False]
    for twin in twins:
        changed = [twin.change(case) for case in failing]
        if twin.fault and not twin.always and len(failing) < 2:
            continue
        if twin.always and any(right and twin.change(case) for case, right in outcomes):
            continue
        if all(case is not None for case in changed) and _are_right(changed, is_right):
            return twin
    return None


def _are_right(
    cases: Sequence[Case | None], is_right: Callable[[Case], bool | None]
) -> bool:
    """Whether none of the cases is wrong, and something is right."""
    found = False
    for case in filter(None, cases):
        for each in (case, _below_zero(case)):
            right = is_right(each)
            if right is False:
                return False
            found = found or bool(right)
    return found


def _below_zero(case: Case) -> Case:
    """The same with negative values alone: a maximum that begins at 0 is wrong there."""
    return case.with_arrays(x=case["x"] - case["x"].max() - 1)
