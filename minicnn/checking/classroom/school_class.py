"""A whole class: its submissions checked side by side, and what went wrong in them how often."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.pool import ThreadPool

from minicnn.checking.classroom.grading import Graded, grade
from minicnn.checking.classroom.submissions import Submission
from minicnn.checking.faults import FAULTS
from minicnn.checking.students.finding import Finding
from minicnn.checking.students.isolation import TIMEOUT

NO_MISTAKE = ("correct", "not-written", "not-checked")
"""Verdicts that blame nobody."""

WITHOUT_NAME = {
    "error": "the function raised, or returned the wrong number, shape or type of things",
    "unknown": "the answer is wrong, and no fault of the catalogue explains it",
}
"""What stands for a lesson where no fault is named."""


@dataclass(frozen=True)
class Mistake:
    """One kind of mistake, and where it was made.

    Attributes
    ----------
    kind : str
        A fault's id; ``"unknown"`` for a wrong answer, ``"error"`` for an error that none explains.
    lesson : str
        What is wrong, and what belongs there.
    where : tuple
        Of the students' names and the functions.
    """

    kind: str
    lesson: str
    where: tuple[tuple[str, str], ...]

    @property
    def students(self) -> list[str]:
        """Who made it, each once."""
        return list(dict.fromkeys(name for name, _ in self.where))

    @property
    def functions(self) -> list[str]:
        """In which functions, each once."""
        return sorted({function for _, function in self.where})


def grade_class(
    submissions: Sequence[Submission], *, timeout: float = TIMEOUT, build: Sequence[str] = (),
    workers: int | None = None,
    progress: Callable[[str, float], None] = lambda name, share: None,
) -> list[Graded]:
    """Check the submissions of a class, several at once.

    Parameters
    ----------
    submissions : sequence of Submission
    timeout : float, default 10.0
    build : sequence of str, optional
        Both as of `check_file`.
    workers : int, optional
        How many at once; as many as the process has cores by default.
    progress : callable, optional
        Is told the name of each that is done, and the share of the class.

    Returns
    -------
    list of Graded
        In the order of `submissions`.
    """
    results: dict[int, Graded] = {}
    # its threads are daemons: what an interrupt leaves behind keeps no process from its end
    with ThreadPool(max(1, min(workers or _cores(), len(submissions)))) as pool:
        jobs = pool.imap_unordered(
            lambda job: (job[0], grade(job[1], timeout=timeout, build=build)),
            enumerate(submissions),
        )
        for place, graded in jobs:
            results[place] = graded
            progress(graded.submission.name, len(results) / len(submissions))
    return [results[place] for place in range(len(submissions))]


def is_mistake(finding: Finding) -> bool:
    """Whether a finding blames a function, which one that is not written or checked does not."""
    return finding.verdict not in NO_MISTAKE


def kinds_of(finding: Finding) -> list[str]:
    """What a finding is counted as: its faults, else its verdict."""
    return [finding.fault, *finding.also] if finding.fault else [finding.verdict]


def mistakes(graded: Sequence[Graded]) -> list[Mistake]:
    """The mistakes of a class, those of the most students first.

    Parameters
    ----------
    graded : sequence of Graded

    Returns
    -------
    list of Mistake
    """
    where: dict[str, list[tuple[str, str]]] = {}
    for each in graded:
        for finding in filter(is_mistake, each.findings):
            for kind in kinds_of(finding):
                where.setdefault(kind, []).append((each.submission.name, finding.function))
    found = [Mistake(kind, _lesson(kind), tuple(places)) for kind, places in where.items()]
    return sorted(found, key=lambda each: (-len(each.students), -len(each.where), each.kind))


def _lesson(kind: str) -> str:
    if kind in FAULTS:
        return FAULTS[kind].lesson
    return WITHOUT_NAME.get(kind, WITHOUT_NAME["error"])


def _cores() -> int:
    """Those that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
