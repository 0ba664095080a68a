"""`result.json` and the release's text against what Classroom 50 demands."""

from pathlib import Path

from services import HOMEWORK, valid

from minicnn.checking import Finding
from minicnn.checking.classroom.classroom50 import classroom50_result, release_body
from minicnn.checking.classroom.grading import Graded, grade
from minicnn.checking.classroom.points import Points, read_points
from minicnn.checking.classroom.submissions import Submission, submission_of


def test_a_submission_tried_at_home(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(HOMEWORK["wrong"])
    graded = grade(submission_of(tmp_path / "a.py"))
    result = valid(classroom50_result(graded, read_points("relu=2,dense_forward=1"), {}),
                   "classroom50-result")
    assert (result["score"], result["max-score"]) == (2, 5)
    assert [(test["passed"], test["faults"]) for test in result["tests"]] == [
        (True, []), (False, ["relu-mask-from-dy"]), (False, [])]
    assert result["tests"][2]["verdict"] == "missing"


def test_a_review_is_the_commit_where_there_is_no_other(tmp_path: Path) -> None:
    graded = Graded(Submission("a", (), tmp_path), [], ["a.py: no"], [], 0)
    result = classroom50_result(graded, Points(), {"COMMIT_URL": "c"})
    assert valid(result, "classroom50-result")["review"] == "c"


def test_a_message_cannot_leave_its_fence(tmp_path: Path) -> None:
    text = "````\n# Ten points!"
    graded = Graded(Submission("a", (), tmp_path),
                    [Finding("relu_forward", "error", None, text)], [], [], 0)
    body = release_body(graded, Points())
    assert body.startswith("### 0 of 1 points\n")
    assert body.count("`````") == 2
