"""`results.json` against the specification, for homework of every kind."""

from pathlib import Path
from typing import Any

import pytest
from services import HOMEWORK, valid

from minicnn.checking.classroom import gradescope
from minicnn.checking.classroom.grading import grade
from minicnn.checking.classroom.points import Points, read_points
from minicnn.checking.classroom.submissions import submission_of


def results(tmp_path: Path, kind: str, points: Points) -> dict[str, Any]:
    """What Gradescope would read of one of the four."""
    path = tmp_path / "anna.py"
    path.write_text(HOMEWORK[kind])
    graded = grade(submission_of(path), timeout=1)
    return valid(gradescope.gradescope_results(graded, points), "gradescope-results")


@pytest.mark.parametrize(("kind", "gained", "tags"), [
    ("right", [2, 2], [["correct"], ["correct"]]),
    ("wrong", [2, 0], [["correct"], ["wrong-backward", "relu-mask-from-dy"]]),
    ("endless", [2, 0], [["correct"], ["error"]]),
    ("broken", [0, 0], [["missing"], ["missing"]]),
])
def test_four_kinds_of_homework(
    tmp_path: Path, kind: str, gained: list[float], tags: list[list[str]]
) -> None:
    found = results(tmp_path, kind, read_points("relu=2"))
    assert [test["name"] for test in found["tests"]] == ["relu_forward", "relu_backward"]
    assert [test["score"] for test in found["tests"]] == gained
    assert [test["status"] == "passed" for test in found["tests"]] == list(map(bool, gained))
    assert [test["tags"] for test in found["tests"]] == tags
    assert found["score"] == sum(gained)


def test_the_lesson_and_the_numbers_are_shown(tmp_path: Path) -> None:
    text = results(tmp_path, "wrong", Points())["tests"][1]["output"]
    assert "the mask is taken from the sign of dy" in " ".join(text.split()).replace("The", "the")
    assert "should be" in text
    assert not any(line.endswith(" ") or "\x1b" in line for line in text.splitlines())


def test_a_file_that_cannot_be_used_scores_nothing_and_says_why(tmp_path: Path) -> None:
    found = results(tmp_path, "broken", Points())
    assert found["score"] == 0
    assert found["tests"] == []
    assert found["output"].startswith("anna.py: line 8: SyntaxError: ")
    for test in results(tmp_path, "broken", read_points("relu=1"))["tests"]:
        assert "missing: anna.py: line 8: SyntaxError: " in test["output"]


def test_results_go_where_the_service_looks_if_there_is_such_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gradescope, "RESULTS", tmp_path)
    assert gradescope.default_place() == tmp_path / "results.json"
    monkeypatch.setattr(gradescope, "RESULTS", tmp_path / "none")
    assert gradescope.default_place() == Path("results.json")
