"""`minicnn check --format`: one student's results, as a service reads them."""

import json
from pathlib import Path

import pytest
from command_line import refused, status
from services import HOMEWORK, valid


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
    (["--format", "moodle"], "--format: expected one of gradescope, got 'moodle'"),
    (["--format", "gradescope", "--points", "relu=x"], "--points: expected a number of points"),
    (["--format", "gradescope", "--timeout", "0"], "--timeout: expected seconds in"),
    (["--format", "gradescope", "--out", "no/results.json"], "its folder does not exist"),
    (["--points", "2"], "--points: counts for --format"),
    (["--out", "x.json"], "--out: counts for --format"),
])
def test_refusals(
    here: Path, options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert message in refused(capsys, "check", "right.py", *options)
