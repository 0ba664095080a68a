"""A class at a glance: a page for whoever teaches it, and one for each student."""

import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from minicnn.checking.classroom.grading import Graded, Score, scores, total, with_hints
from minicnn.checking.classroom.points import Points
from minicnn.checking.classroom.school_class import Mistake, is_mistake, kinds_of, mistakes
from minicnn.checking.faults import FAULTS
from minicnn.checking.students.finding import Finding
from minicnn.checking.students.folding import fold_equation
from minicnn.checking.students.numbers_shown import lines_of_numbers
from minicnn.files.paths import as_path
from minicnn.files.reading import require_folder
from minicnn.viewing.page import write_page

COMMONEST = 10
"""So many mistakes are shown with their lesson."""

NARROW = 46
"""Characters of a line of numbers or of an equation, which a telephone shows whole."""


def write_class_page(
    path: str | os.PathLike, graded: Sequence[Graded], points: Points | None = None, *,
    title: str, hint: int | None = None,
) -> Path:
    """Write the page of a class, and beside it a folder with a page for each student.

    A student's page names nobody else, so that it can be handed out.

    Parameters
    ----------
    path : path
        The HTML file; the students' pages go into a folder named after it, ``class-students``
        beside ``class.html``.
    graded : sequence of Graded
        As `minicnn.checking.classroom.school_class.grade_class` returns them.
    points : Points, optional
        None: a function counts one, and no points are shown.
    title : str
        What the class is called.
    hint : {1, 2, 3}, optional
        The students' pages say less than the answer.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    InputError
        Where a page cannot be written, or there is no such hint.
    """
    path = as_path(path)
    folder = require_folder(path.with_name(f"{path.stem}-students"), "the folder of pages")
    rows = _rows(graded, points or Points(), folder.name)
    for row, each in zip(rows, graded, strict=True):
        told = scores(with_hints(each, hint), points or Points())
        write_page(folder / row.file, "student.html.j2", {
            "row": row, "troubles": each.troubles, "notes": each.notes, "worth": points is not None,
            "parts": [(part, _law(part.finding), _numbers(part.finding)) for part in told],
        })
    found = mistakes(graded)
    return write_page(path, "class.html.j2", {
        "title": title, "rows": rows, "graded": graded, "links": {
            row.name: row.link for row in rows},
        "functions": _functions(graded), "mistakes": found,
        "commonest": [(each, _equation(each)) for each in found[:COMMONEST]],
        "unusable": [(row, each.troubles) for row, each in zip(rows, graded, strict=True)
                     if each.troubles],
        "correct": sum(each.correct for each in graded),
        "checked": sum(len(each.findings) for each in graded),
        "kinds_of": kinds_of, "worth": points is not None,
    })


@dataclass(frozen=True)
class Row:
    """One student among the others.

    Attributes
    ----------
    name, file : str
        Of the student, and of the student's page.
    link : str
        From the page of the class to the student's.
    parts : list of Score
    points, of : float
    """

    name: str
    file: str
    link: str
    parts: list[Score]
    points: float
    of: float

    @property
    def right(self) -> int:
        """How many functions are correct."""
        return sum(part.finding is not None and part.finding.verdict == "correct"
                   for part in self.parts)

    @property
    def others(self) -> list[Score]:
        """Those that are not."""
        return [part for part in self.parts
                if part.finding is None or part.finding.verdict != "correct"]


def _rows(graded: Sequence[Graded], points: Points, folder: str) -> list[Row]:
    rows, taken = [], set[str]()
    for each in graded:
        parts = scores(each, points)
        file = _file_name(each.submission.name, taken)
        rows.append(Row(
            each.submission.name, file, quote(f"{folder}/{file}"), parts,
            total(part.points for part in parts), total(part.of for part in parts),
        ))
    return rows


def _file_name(name: str, taken: set[str]) -> str:
    """A name that every system takes, and that no other student has."""
    stem = re.sub(r"\W+", "-", name).strip("-")[:60] or "student"
    free, number = stem, 1
    while free.casefold() in taken:
        number += 1
        free = f"{stem}-{number}"
    taken.add(free.casefold())
    return f"{free}.html"


def _functions(graded: Sequence[Graded]) -> list[dict[str, Any]]:
    """Of each function what became of it, those with the smallest share of right ones first."""
    found: dict[str, list[Finding]] = {}
    for each in graded:
        for finding in each.findings:
            found.setdefault(finding.function, []).append(finding)
    rows = [
        {
            "name": name, "count": len(findings),
            "correct": sum(finding.verdict == "correct" for finding in findings),
            "unwritten": sum(finding.verdict == "not-written" for finding in findings),
            "commonest": Counter(
                kind for finding in filter(is_mistake, findings) for kind in kinds_of(finding)
            ).most_common(1),
        }
        for name, findings in sorted(found.items())
    ]
    return sorted(rows, key=lambda row: row["correct"] / row["count"])


def _equation(mistake: Mistake) -> str:
    """Where the broken equation stands, and the equation itself; empty where no fault is named."""
    equation = FAULTS[mistake.kind].equation if mistake.kind in FAULTS else None
    return "" if equation is None else f"{equation}: {equation.text}"


def _law(finding: Finding | None) -> str:
    """The equation that gives what is wrong."""
    lines = finding.equation.get("lines", []) if finding is not None else []
    return "\n".join(row for text in lines for row in fold_equation(text, NARROW))


def _numbers(finding: Finding | None) -> str:
    """The smallest input that shows what is wrong, the right answer and the one that came."""
    if finding is None or finding.verdict == "correct":
        return ""
    return "\n".join(lines_of_numbers(finding.evidence, NARROW))
