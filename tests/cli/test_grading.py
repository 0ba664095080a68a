"""`minicnn check` for whoever grades: one student's results for a service, and a class."""

import json
from pathlib import Path

import pytest
from command_line import refused, status
from services import HOMEWORK, valid

LAYER = """
class Layer:
    def __init__(self, p, q):
        self.p, self.q = p, q

    def forward(self, x):
        self.x = x
        return x @ self.p + self.q

    def backward(self, dy):
        self.dw, self.db = self.x.T @ dy, dy.sum(0)
        return dy @ self.p.T
"""
"""Whose constructor says nothing of what it takes."""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, and the four pieces of homework in it."""
    monkeypatch.chdir(tmp_path)
    for kind, text in HOMEWORK.items():
        (tmp_path / f"{kind}.py").write_text(text)
    return tmp_path


def test_results_are_written_and_the_status_is_that_of_a_grader(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status("check", "wrong.py", "--format", "gradescope", "--points", "relu=5") == 0
    assert capsys.readouterr().out == "5 of 10 points, written to results.json\n"
    assert valid(json.loads(Path("results.json").read_text()), "gradescope-results")["score"] == 5


@pytest.mark.parametrize("name", ["broken.py", "none.py", "note.txt"])
def test_what_cannot_be_used_gives_a_valid_file(here: Path, name: str) -> None:
    (here / "note.txt").write_text("I was ill.\n")
    assert status("check", name, "--format", "gradescope", "--out", "out.json") == 0
    found = valid(json.loads(Path("out.json").read_text()), "gradescope-results")
    assert found["score"] == 0
    assert found["output"].startswith(f"{name}: ")


@pytest.mark.parametrize(("options", "message"), [
    (["--format", "moodle"], "--format: expected one of gradescope, classroom50, got 'moodle'"),
    (["--format", "gradescope", "--points", "relu=x"], "--points: expected a number of points"),
    (["--format", "gradescope", "--timeout", "0"], "--timeout: expected seconds in"),
    (["--format", "gradescope", "--out", "no/results.json"], "its folder does not exist"),
    (["--points", "2"], "--points: counts for --format, or for the folder of a class"),
    (["--out", "x.json"], "--out: counts for --format"),
    (["--csv", "x.csv"], "--csv: counts for"),
])
def test_refusals(
    here: Path, options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert message in refused(capsys, "check", "right.py", *options)


def test_a_class_is_written_as_a_table_and_as_pages(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status("check", here, "--csv", "g.csv", "--html", "class.html", "--timeout", "1") == 0
    assert capsys.readouterr().out == (
        "4 submissions in g.csv\na page of the class and one for each student: class.html\n")
    assert Path("g.csv").read_text(encoding="utf-8-sig").splitlines()[3].startswith("right,2,2,2,2")
    assert "relu-mask-from-dy" in Path("class.html").read_text(encoding="utf-8")
    assert len(list(Path("class-students").iterdir())) == 4
    assert "(--timeout allows more)" in Path("g.csv").read_text(encoding="utf-8-sig")


def test_a_class_in_the_terminal_and_as_json(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "endless.py").unlink()
    assert status("check", here) == 0
    shown = capsys.readouterr().out
    assert "relu_backward: relu-mask-from-dy" in shown
    (here / "dora.zip").write_text("")
    assert status("check", here, "--json", "--csv", "g.csv") == 0
    out, err = capsys.readouterr()
    assert "no Python files or notebooks: dora.zip" in err
    entries = json.loads(out)
    assert [entry["submission"] for entry in entries] == ["broken", "right", "wrong"]
    assert "SyntaxError" in entries[0]["troubles"][0]


@pytest.mark.parametrize(("options", "message"), [
    (["--csv", "none/g.csv"], "none/g.csv: cannot be written, its folder does not exist"),
    (["--html", "."], ".: expected a file to write, got a folder"),
    (["--points", "x=1"], "--points: expected names of exercises"),
    (["--out", "x.json"], "--out: counts for --format"),
    (["--hint", "7"], "--hint: expected 1, 2 or 3, got 7"),
])
def test_refusals_of_a_class(
    here: Path, options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert message in refused(capsys, "check", here, *options)


def test_a_hint_in_place_of_the_answer(here: Path) -> None:
    assert status("check", "wrong.py", "--format", "gradescope", "--hint", "1") == 0
    text = Path("results.json").read_text()
    assert "Look at dx in relu_backward" in text
    assert "relu-mask-from-dy" not in text


def test_a_class_of_ones_own_is_built_as_it_is_said(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("layers.py").write_text(LAYER)
    options = ("--format", "gradescope", "--points", "Layer.forward=1,Layer.backward=2")
    assert status("check", "layers.py", *options, "--build", "dense: Layer(w, b)") == 0
    assert capsys.readouterr().out.startswith("3 of 3 points")
