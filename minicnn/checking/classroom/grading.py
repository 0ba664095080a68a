"""A submission's findings, and the points that they give."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from minicnn.checking.classroom.points import Points
from minicnn.checking.classroom.submissions import Submission, shown
from minicnn.checking.students.finding import Finding
from minicnn.checking.students.findings import Findings
from minicnn.checking.students.isolation import TIMEOUT, check_file
from minicnn.checking.students.steps import hinted
from minicnn.errors import InputError


@dataclass(frozen=True)
class Graded:
    """What was found in one submission.

    Attributes
    ----------
    submission : Submission
    findings : list of Finding
        One for each function.
    troubles : list of str
        Files that cannot be used, and why.
    notes : list of str
        What of the files could not be run, and what is not looked at.
    seconds : float
        That it took.
    """

    submission: Submission
    findings: list[Finding]
    troubles: list[str]
    notes: list[str]
    seconds: float

    @property
    def correct(self) -> int:
        """How many functions are."""
        return sum(finding.verdict == "correct" for finding in self.findings)

    def as_dict(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return {
            "submission": self.submission.name,
            "findings": [finding.as_dict() for finding in self.findings],
            "troubles": self.troubles, "notes": self.notes, "seconds": round(self.seconds, 3),
        }


@dataclass(frozen=True)
class Score:
    """What one function gives.

    Attributes
    ----------
    function : str
    points, of : float
        What it gives, and what it would give if it were correct.
    finding : Finding or None
        None where the submission has no such function.
    """

    function: str
    points: float
    of: float
    finding: Finding | None


def grade(
    submission: Submission, *, timeout: float = TIMEOUT, build: Sequence[str] = ()
) -> Graded:
    """Check a submission's files, each in a process of its own.

    Where two files have a function of the same name, one that is correct counts, else the first.

    Parameters
    ----------
    submission : Submission
    timeout : float, default 10.0
    build : sequence of str, optional
        Both as of `check_file`.

    Returns
    -------
    Graded
    """
    start = time.monotonic()
    found: dict[str, Finding] = {}
    troubles, notes = [], []
    for path in submission.files:
        name = shown(path.relative_to(submission.folder))
        try:
            findings = check_file(path, timeout=timeout, build=build)
        except InputError as error:
            if error.argument is not None:
                raise
            troubles.append(f"{name}: {_without(str(error), path)}")
            continue
        except OSError as error:  # a folder that may not be entered
            troubles.append(f"{name}: {error.strerror}")
            continue
        notes += [f"{name}: {note}" for note in findings.notes]
        if findings.not_looked_at:
            notes.append(f"{name}: not looked at: {', '.join(findings.not_looked_at)}")
        for finding in findings:
            if finding.function not in found or finding.verdict == "correct":
                found[finding.function] = finding
    if not submission.files:
        troubles.append("there is no file that can be checked")
    return Graded(
        submission, list(found.values()), troubles, notes, time.monotonic() - start)


def with_hints(graded: Graded, hint: int | None) -> Graded:
    """The same for a student who is told less than the answer.

    Parameters
    ----------
    graded : Graded
    hint : {1, 2, 3} or None
        As of `minicnn.checking.students.steps.hinted`; None: everything is told.

    Returns
    -------
    Graded

    Raises
    ------
    InputError
        Where there is no such hint.
    """
    if hint is None:
        return graded
    return replace(graded, findings=hinted(Findings(graded.findings), hint))


def require_hint(hint: int | None) -> None:
    """Refuse what is no hint.

    Raises
    ------
    InputError
        Where there is no such hint.
    """
    if hint is not None:
        hinted(Findings(), hint)


def scores(graded: Graded, points: Points) -> list[Score]:
    """What each function that counts gives: all of its points if it is correct, else none.

    Parameters
    ----------
    graded : Graded
    points : Points

    Returns
    -------
    list of Score
        In the order of `points`, or of the findings where it names none.
    """
    found = {finding.function: finding for finding in graded.findings}
    result = []
    for function, of in points.asked(found).items():
        finding = found.get(function)
        right = finding is not None and finding.verdict == "correct"
        result.append(Score(function, of if right else 0, of, finding))
    return result


def total(parts: Iterable[float]) -> float:
    """A sum of points without the dust of binary fractions."""
    value = round(sum(parts), 6)
    return int(value) if value == int(value) else value


def _without(message: str, path: Path) -> str:
    """A message about a file, without the place of the file."""
    for place in (path, path.absolute()):
        message = message.removeprefix(f"{place}: ")
    return shown(message)
