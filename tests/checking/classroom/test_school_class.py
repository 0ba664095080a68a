"""A class: nobody's file stops it, and mistakes are counted a student."""

import csv
import io
from pathlib import Path

import pytest
from services import HOMEWORK, RIGHT

from minicnn import terminal
from minicnn.checking import Finding
from minicnn.checking.classroom.grading import Graded
from minicnn.checking.classroom.points import Points
from minicnn.checking.classroom.school_class import grade_class, mistakes
from minicnn.checking.classroom.submissions import Submission, submissions_in
from minicnn.checking.classroom.tables import class_table, grades_csv
from minicnn.checking.faults import FAULTS


def graded(name: str, *findings: Finding, troubles: tuple[str, ...] = ()) -> Graded:
    """What might have been found in one submission."""
    return Graded(Submission(name, (), Path()), list(findings), list(troubles), [], 0.1)


MASK = Finding("relu_backward", "wrong-backward", "relu-mask-from-dy", "The mask\nis wrong.")
CLASS = [
    graded("anna", Finding("relu_forward", "correct"), MASK),
    graded("=ben", MASK, Finding("leaky_relu_backward", "wrong-backward", "relu-mask-from-dy")),
    graded("Zoë", Finding("dense_forward", "error"), Finding("dense_backward", "not-checked"),
           Finding("relu_forward", "not-written"), Finding("elu_forward", "wrong-forward")),
    graded("eve", troubles=("eve.py: line 1: SyntaxError: no",)),
]


def test_a_class_is_checked_in_its_order_and_nobody_stops_it(tmp_path: Path) -> None:
    for kind, text in HOMEWORK.items():
        (tmp_path / f"{kind}.py").write_text(text)
    told = []
    found = grade_class(
        submissions_in(tmp_path), timeout=1, progress=lambda name, share: told.append(share))
    assert [(each.submission.name, each.correct, len(each.troubles)) for each in found] == [
        ("broken", 0, 1), ("endless", 1, 0), ("right", 2, 0), ("wrong", 1, 0)]
    assert told == [0.25, 0.5, 0.75, 1]


MEETING = """
import time
from pathlib import Path

here = Path(__file__)
here.with_suffix(".here").touch()
while len(list(here.parent.glob("*.here"))) < 3:
    time.sleep(0.05)
"""
"""What ends only where three files are run at once."""


def test_submissions_are_checked_at_once(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.py").write_text(MEETING + RIGHT)
    found = grade_class(submissions_in(tmp_path), workers=3)
    assert [each.correct for each in found] == [2, 2, 2]


def test_mistakes_are_counted_by_students_and_functions() -> None:
    first, *others = mistakes(CLASS)
    assert (first.kind, first.students, len(first.where)) == (
        "relu-mask-from-dy", ["anna", "=ben"], 3)
    assert first.lesson == FAULTS["relu-mask-from-dy"].lesson
    assert first.functions == ["leaky_relu_backward", "relu_backward"]
    assert [(each.kind, each.students) for each in others] == [
        ("error", ["Zoë"]), ("unknown", ["Zoë"])]


def test_two_faults_of_one_function_are_two_mistakes() -> None:
    both = Finding("conv2d_forward", "wrong-forward", "conv-missing-bias",
                   also=["conv-stride-ignored"])
    assert [each.kind for each in mistakes([graded("anna", both)])] == [
        "conv-missing-bias", "conv-stride-ignored"]
    assert "conv2d_forward: conv-missing-bias and conv-stride-ignored" in grades_csv(
        [graded("anna", both)], Points())


def test_the_table_for_spreadsheets() -> None:
    text = grades_csv(CLASS, Points())
    assert text.startswith("\ufeffsubmission,points,of,correct,checked,faults,remark\n")
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert [(row["submission"], row["points"], row["of"], row["correct"]) for row in rows] == [
        ("anna", "1", "2", "1"), ("'=ben", "0", "2", "0"), ("Zoë", "0", "4", "0"),
        ("eve", "0", "0", "0")]
    assert rows[0]["faults"] == "relu_backward: relu-mask-from-dy"
    assert rows[0]["remark"] == "The mask is wrong."
    assert rows[2]["faults"] == (
        "dense_forward: error; dense_backward: not-checked; relu_forward: not-written; "
        "elu_forward: unknown")
    assert rows[3]["remark"] == "eve.py: line 1: SyntaxError: no"


def test_functions_that_are_asked_and_not_there_are_missing() -> None:
    points = Points(named={"relu_forward": 2, "relu_backward": 3, "dense_forward": 1})
    first, *_ = csv.DictReader(io.StringIO(grades_csv(CLASS, points).removeprefix("\ufeff")))
    assert (first["points"], first["of"]) == ("2", "6")
    assert first["faults"] == "relu_backward: relu-mask-from-dy; missing: dense_forward"


@pytest.mark.parametrize("width", [50, 100])
def test_the_table_in_a_terminal(width: int) -> None:
    shown = " ".join(terminal.plain(class_table(CLASS, Points()), width=width).split())
    for part in ("=ben", "relu-mask-from-dy", "dense_forward: error", "SyntaxError"):
        assert part in shown
    assert "mistake" not in terminal.plain(class_table([graded("anna")], Points()))
