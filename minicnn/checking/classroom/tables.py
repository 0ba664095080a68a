"""A class as a table: for a spreadsheet, and for the terminal."""

import csv
import io
from collections.abc import Sequence

from minicnn import terminal
from minicnn.checking.classroom.grading import Graded, Score, scores, total
from minicnn.checking.classroom.points import Points
from minicnn.checking.classroom.school_class import kinds_of, mistakes
from minicnn.terminal import Column

COLUMNS = ("submission", "points", "of", "correct", "checked", "faults", "remark")
"""Of the table for spreadsheets."""


def grades_csv(graded: Sequence[Graded], points: Points) -> str:
    """A row for each submission.

    Parameters
    ----------
    graded : sequence of Graded
    points : Points

    Returns
    -------
    str
        CSV with a byte-order mark, by which a spreadsheet knows UTF-8. A text that a spreadsheet
        would take for a formula begins with an apostrophe.
    """
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for each in graded:
        parts = scores(each, points)
        writer.writerow([
            _text(each.submission.name), total(part.points for part in parts),
            total(part.of for part in parts), each.correct, len(each.findings),
            _text("; ".join(_faults(parts))),
            _text(" ".join([*each.troubles, *_messages(parts)])),
        ])
    return f"\ufeff{stream.getvalue()}"


def class_table(graded: Sequence[Graded], points: Points) -> "terminal.RenderableType":
    """A row for each submission, and below it each kind of mistake with how often it was made."""
    rows = []
    for each in graded:
        parts = scores(each, points)
        rows.append((
            each.submission.name, f"{total(part.points for part in parts):g}",
            f"{total(part.of for part in parts):g}",
            "\n".join([*each.troubles, *_faults(parts)]),
        ))
    table = terminal.table(
        [Column("submission"), Column("points", right=True), Column("of", right=True),
         Column("what is not correct")], rows,
    )
    found = mistakes(graded)
    if not found:
        return table
    counts = terminal.table(
        [Column("mistake"), Column("students", right=True), Column("functions", right=True)],
        [(each.kind, str(len(each.students)), str(len(each.where))) for each in found],
    )
    return terminal.together(table, counts)


def _faults(parts: Sequence[Score]) -> list[str]:
    """What is not correct: each function with its fault or verdict, then those that are missing."""
    found = [f"{part.function}: {' and '.join(kinds_of(part.finding))}" for part in parts
             if part.finding is not None and part.finding.verdict != "correct"]
    missing = [part.function for part in parts if part.finding is None]
    return [*found, f"missing: {', '.join(missing)}"] if missing else found


def _messages(parts: Sequence[Score]) -> list[str]:
    return [" ".join(part.finding.message.split()) for part in parts
            if part.finding is not None and part.finding.verdict != "correct"]


def _text(text: str) -> str:
    """Text that no spreadsheet computes."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") and text else text
