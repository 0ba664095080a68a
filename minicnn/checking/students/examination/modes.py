"""Two operations of one pair of functions, told apart by a mode: one finding for each function."""

from collections.abc import Iterator
from dataclasses import replace

from minicnn.checking.students.examination.evidence import behind
from minicnn.checking.students.examination.examination import Examination
from minicnn.checking.students.finding import Finding
from minicnn.checking.students.notation import equation_for
from minicnn.checking.students.operations import OPERATIONS
from minicnn.checking.students.subject import Subject


def findings_of_both(subject: Subject) -> Iterator[Finding]:
    """The findings of both operations, put together function by function."""
    first, second = subject.convention, subject.convention.beside
    assert second is not None
    takes_a_mode = subject.parameters is None or len(subject.parameters) > 2
    other = Subject(replace(subject.pair, convention=second), subject.path)
    every = Examination(OPERATIONS[first.operation], subject).findings()
    if not takes_a_mode:
        for found in every:
            yield _noted(found, f"note: the mode {second.backward_more[0]!r} is not checked: "
                         "there is no such argument")
        return
    others = Examination(OPERATIONS[second.operation], other).findings()
    names = first.backward_more[0], second.backward_more[0]
    for found, beside in zip(every, others, strict=True):
        found.equation = equation_for(found, first)
        beside.equation = equation_for(beside, second)
        yield _together(found, beside, names)


def _together(found: Finding, beside: Finding, modes: tuple[str, str]) -> Finding:
    """One finding of two: the first that is not correct, and a word about the other."""
    if found.verdict == beside.verdict == "correct":
        notes = dict.fromkeys(filter(None, (found.message, beside.message)))
        return replace(found, message=" ".join(notes))
    if found.verdict == beside.verdict and found.fault == beside.fault:
        return found
    worse, mode = (beside, modes[1]) if found.verdict == "correct" else (found, modes[0])
    other, its = (found, modes[0]) if worse is beside else (beside, modes[1])
    message = behind(f"In the mode {mode!r}:", worse.message)
    if other.verdict != "correct":
        named = f" ({other.fault})" if other.fault not in (None, "unknown") else ""
        message += f" The mode {its!r} is wrong too{named}."
    return replace(worse, message=message)


def _noted(found: Finding, note: str) -> Finding:
    """A finding with a note, if it is correct."""
    if found.verdict != "correct":
        return found
    return replace(found, message=f"{found.message} {note}".strip())
