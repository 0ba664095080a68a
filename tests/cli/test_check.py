"""`minicnn check`: verdicts on students' files, and starter files."""

import csv
import json
import runpy
import sys
from pathlib import Path

import pytest
from command_line import refused, status
from submission_checks import SUBMISSIONS, planted

from minicnn.checking.students.exercises import EXERCISES
from minicnn.cli import check

EXAMPLES = Path(__file__).parents[2] / "examples"
STAGED = "batchnorm_staged_graph_cs231n.py"


def test_check_of_a_correct_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert status("check", SUBMISSIONS / STAGED) == 0
    assert capsys.readouterr().out.split() == [
        "batchnorm_forward", "correct", "batchnorm_backward", "correct"]


def test_check_of_a_wrong_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = planted(tmp_path, STAGED, "dx1 = dxmu1 + dxmu2 ", "dx1 = dxmu1 ")
    assert status("check", path) == 1
    shown = " ".join(capsys.readouterr().out.split())
    assert "batchnorm_backward wrong-backward bn-missing-variance-term" in shown
    assert "Your dx is T1 - T2, the right one is T1 - T2 - T3." in shown
    assert "dx should be [[" in shown

    assert status("check", path, "--json") == 1
    entries = json.loads(capsys.readouterr().out)
    assert [set(entry) for entry in entries] == 2 * [
        {"function", "verdict", "fault", "message", "evidence", "also", "equation"}]
    assert entries[1]["fault"] == "bn-missing-variance-term"


@pytest.mark.parametrize(("arguments", "message"), [
    (["check", "none.py"], "minicnn: none.py: expected a Python file, found nothing"),
    (["check"], "minicnn: check: expected a file, or --exercise NAME"),
    (["check", "--exercise", "svm"], "minicnn: --exercise: expected one of batchnorm, "),
    (["check", "x.py", "--timeout", "0"],
     "minicnn: --timeout: expected seconds in (0, 1e+06], got 0"),
])
def test_check_refuses(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert message in refused(capsys, *arguments)


@pytest.mark.parametrize("text", [
    "while True: pass\n",
    "def relu_forward(x):\n    while True: pass\n",
])
def test_a_limit_that_was_met_names_its_option(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "endless.py"
    path.write_text(text)
    status("check", path, "--timeout", "0.5")
    shown = "".join(capsys.readouterr())
    assert "took longer than 0.5 s (--timeout allows more)" in " ".join(shown.split())


def test_check_writes_an_exercise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert status("check", "--exercise", "dropout") == 0
    assert capsys.readouterr().out == "written to dropout_exercise.py\n"
    assert status("check", "dropout_exercise.py") == 1


def test_the_exercises_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert status("check", "--exercise", "list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert tuple(line.split()[0] for line in lines) == check.EXERCISES == tuple(EXERCISES)
    assert "dense           " in lines[7]
    assert "dense_forward, dense_backward" in lines[7]
    assert status("check", "--help") == 0
    shown = capsys.readouterr().out
    assert [name for name in EXERCISES if name not in shown] == []


def test_a_folder_is_graded_into_a_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "homework"
    folder.mkdir()
    planted(folder, STAGED, "dx1 = dxmu1 + dxmu2 ", "dx1 = dxmu1 ")
    (folder / "right.py").write_text((SUBMISSIONS / STAGED).read_text(encoding="utf-8"))
    (folder / "zz_broken.py").write_text("def f(:\n")
    table = tmp_path / "grades.csv"
    monkeypatch.setattr(sys, "argv", ["grade_submissions.py", str(folder), str(table)])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(EXAMPLES / "grade_submissions.py"), run_name="__main__")
    assert not ended.value.code
    with table.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert [row["submission"] for row in rows] == [
        STAGED.removesuffix(".py"), "right", "zz_broken"]
    assert [(row["correct"], row["checked"]) for row in rows] == [
        ("1", "2"), ("2", "2"), ("0", "0")]
    assert rows[0]["faults"] == "batchnorm_backward: bn-missing-variance-term"
    assert "SyntaxError" in rows[2]["remark"]
    assert "3 submissions" in capsys.readouterr().out


@pytest.mark.parametrize("step", ["1", "2", "3"])
def test_a_hint_holds_the_answer_back(
    step: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = planted(tmp_path, STAGED, "dx1 = dxmu1 + dxmu2 ", "dx1 = dxmu1 ")
    assert status("check", path, "--hint", step) == 1
    shown = " ".join(capsys.readouterr().out.split())
    assert "Look at dx in batchnorm_backward." in shown
    assert ("through the batch variance" in shown) == (step > "1")
    assert ("dx = T1 - T2 - T3" in shown) == (step > "2")
    for held_back in ("bn-missing", "lacks", "should be", "unknown"):
        assert held_back not in shown

    assert status("check", path, "--hint", step, "--json") == 1
    right, wrong = json.loads(capsys.readouterr().out)
    assert (right["verdict"], right["fault"]) == ("correct", None)
    assert (wrong["verdict"], wrong["fault"], wrong["evidence"]) == ("wrong-backward", None, {})


def test_a_step_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    path = SUBMISSIONS / STAGED
    assert "--hint: expected 1, 2 or 3, got 4" in refused(capsys, "check", path, "--hint", "4")
