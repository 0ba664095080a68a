"""What a submission's findings give."""

import json
from pathlib import Path

import pytest
from services import HOMEWORK, RIGHT

from minicnn import InputError
from minicnn.checking.classroom.grading import grade, scores, total
from minicnn.checking.classroom.points import Points
from minicnn.checking.classroom.submissions import submission_of, submissions_in


def test_right_functions_give_their_points_and_wrong_ones_none(tmp_path: Path) -> None:
    (tmp_path / "anna.py").write_text(HOMEWORK["wrong"])
    graded = grade(submission_of(tmp_path / "anna.py"))
    points = Points(named={"relu_backward": 5, "relu_forward": 2.5, "dense_forward": 1})
    assert [(part.function, part.points, part.of) for part in scores(graded, points)] == [
        ("relu_backward", 0, 5), ("relu_forward", 2.5, 2.5), ("dense_forward", 0, 1)]
    assert [part.of for part in scores(graded, Points(each=3))] == [3, 3]
    assert graded.correct == 1


def test_of_two_functions_of_one_name_a_correct_one_counts(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(HOMEWORK["wrong"])
    (tmp_path / "b.py").write_text(RIGHT)
    assert grade(submission_of(tmp_path)).correct == 2


def test_a_file_that_cannot_be_used_is_told_by_its_name_in_the_folder(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "bad.py").write_text(HOMEWORK["broken"])
    (tmp_path / "good.py").write_text(RIGHT)
    graded = grade(submission_of(tmp_path))
    (trouble,) = graded.troubles
    assert trouble.startswith("in/bad.py: line 8: SyntaxError: ")
    assert graded.correct == 2


def test_a_folder_without_files(tmp_path: Path) -> None:
    assert grade(submission_of(tmp_path)).troubles == ["there is no file that can be checked"]


def test_a_time_limit_out_of_range_is_the_teachers_mistake(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(RIGHT)
    with pytest.raises(InputError, match="timeout: expected seconds"):
        grade(submission_of(tmp_path / "a.py"), timeout=0)


def test_sums_have_no_dust() -> None:
    assert total([0.1, 0.2]) == 0.3
    assert total([2.5, 2.5]) == 5
    assert isinstance(total([2.5, 2.5]), int)


def test_a_notebook_and_what_is_not_looked_at(tmp_path: Path) -> None:
    cell = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None,
            "source": f"%matplotlib inline\n{RIGHT}\ndef rnn_forward(x, w):\n    return x, w\n"}
    notebook = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (tmp_path / "anna.ipynb").write_text(json.dumps(notebook))
    (submission,) = submissions_in(tmp_path)
    graded = grade(submission)
    assert graded.correct == 2
    assert graded.notes == ["anna.ipynb: not looked at: rnn_forward"]


def test_a_backward_that_is_the_gradient_of_ones_own_wrong_forward_gives_its_points(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.py").write_text(
        RIGHT.replace("np.maximum(x, 0), x", "2 * np.maximum(x, 0), x")
        .replace("dy * (x > 0)", "2 * dy * (x > 0)"))
    graded = grade(submission_of(tmp_path / "a.py"))
    assert [(part.function, part.points) for part in scores(graded, Points(each=4))] == [
        ("relu_forward", 0), ("relu_backward", 4)]
