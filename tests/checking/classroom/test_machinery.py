"""What the services run, run in folders laid out as theirs, and by Otter itself."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from services import HOMEWORK, alone, valid

from minicnn import InputError, __version__
from minicnn.checking.classroom.machinery import (
    require_whole,
    worth_of,
    write_classroom50_bundle,
    write_gradescope_archive,
    write_otter_questions,
)
from minicnn.checking.classroom.points import Points, read_points
from minicnn.checking.classroom.wheel import wheel, wheel_name

WORTH = {"relu_forward": 2, "relu_backward": 3}
GAINED = {"right": 5, "wrong": 2, "endless": 2, "broken": 0}

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the services' machines run Linux")


def test_what_is_asked() -> None:
    assert worth_of(["relu"], Points(each=2)) == {"relu_forward": 2, "relu_backward": 2}
    assert worth_of(["relu"], read_points("relu_backward=3,affine_forward=4")) == {
        "relu_forward": 1, "relu_backward": 3, "affine_forward": 4}
    with pytest.raises(InputError, match="exercises: expected names .* got 'svm'"):
        worth_of(["svm"], Points())
    with pytest.raises(InputError, match="exercises: expected what is asked"):
        worth_of([], Points())


def test_the_wheel_has_what_pip_wants_and_no_weights(tmp_path: Path) -> None:
    path = tmp_path / wheel_name()
    path.write_bytes(wheel())
    names = zipfile.ZipFile(path).namelist()
    for needed in ("cli/check.py", "viewing/templates/page.html.j2", "py.typed"):
        assert f"minicnn/{needed}" in names
    assert not any(name.endswith((".safetensors", ".pyc")) for name in names)
    information = zipfile.ZipFile(path).read(f"minicnn-{__version__}.dist-info/METADATA").decode()
    assert "Requires-Dist: numpy" in information
    assert "extra" not in information
    assert wheel() == path.read_bytes()
    assert path.stat().st_size < 10 << 20  # the most that Classroom 50 fetches


@pytest.fixture(scope="module")
def gradescope(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder /autograder, elsewhere, after the image was built."""
    root = tmp_path_factory.mktemp("autograder")
    archive = zipfile.ZipFile(write_gradescope_archive(root / "up.zip", WORTH, timeout=3))
    for name in ("setup.sh", "run_autograder"):
        assert archive.getinfo(name).external_attr >> 16 & 0o111 == 0o111
    archive.extractall(root / "source")
    for name in ("submission", "results"):
        (root / name).mkdir()
    shutil.copy(root / "source" / "run_autograder", root)
    subprocess.run(["bash", root / "source" / "setup.sh"], env=alone(AUTOGRADER_ROOT=root),
                   check=True, capture_output=True)
    return root


@pytest.mark.slow(seconds=20)
@pytest.mark.parametrize("kind", HOMEWORK)
def test_gradescope_runs_its_archive(gradescope: Path, kind: str) -> None:
    handed_in = gradescope / "submission"
    for path in handed_in.iterdir():
        path.unlink()
    (handed_in / "my work.py").write_text(HOMEWORK[kind])
    (handed_in / "json.py").write_text("raise SystemExit('not Python\\'s own')\n")
    done = subprocess.run(["bash", gradescope / "run_autograder"], cwd=gradescope,
                          env=alone(AUTOGRADER_ROOT=gradescope), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    results = valid(json.loads((gradescope / "results" / "results.json").read_text()),
                    "gradescope-results")
    assert results["score"] == GAINED[kind], done.stdout + done.stderr
    assert sum(test["max_score"] for test in results["tests"]) == 5


@pytest.mark.slow(seconds=2)
def test_gradescope_gets_a_valid_file_where_the_autograder_itself_fails(gradescope: Path) -> None:
    place = gradescope / "results" / "results.json"
    place.unlink(missing_ok=True)
    done = subprocess.run(
        ["bash", gradescope / "run_autograder"], cwd=gradescope, capture_output=True,
        env=alone(AUTOGRADER_ROOT=gradescope, PYTHONPATH="nothing is here"))
    assert done.returncode == 0
    found = valid(json.loads(place.read_text()), "gradescope-results")
    assert found["score"] == 0
    assert "autograder itself failed" in found["output"]


@pytest.fixture(scope="module")
def classroom50(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle as the service's runner has extracted it."""
    return write_classroom50_bundle(tmp_path_factory.mktemp("bundle"), WORTH, timeout=3)


@pytest.mark.slow(seconds=30)
@pytest.mark.parametrize("kind", HOMEWORK)
def test_classroom50_runs_its_autograder(classroom50: Path, tmp_path: Path, kind: str) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "relu.py").write_text(HOMEWORK[kind])
    (tmp_path / "json.py").write_text("raise SystemExit('not Python\\'s own')\n")
    (tmp_path / "result.json").write_text('{"score": 1000}')  # by a student who hopes
    done = subprocess.run(
        [sys.executable, classroom50], cwd=tmp_path, capture_output=True, text=True,
        env=alone(
            CLASSROOM="vision", ASSIGNMENT="relu", OWNER="anna", USERNAME="anna",
            ASSIGNMENT_TYPE="individual", SUBMISSION_TAG="submit/2026-12-01T10-00-00Z-abc1234",
            COMMIT_URL="https://example.org/c", RELEASE_URL="https://example.org/r",
            REVIEW_URL="https://example.org/v",
        ),
    )
    assert done.returncode == 0, done.stderr
    result = valid(json.loads((tmp_path / "result.json").read_text()), "classroom50-result")
    assert (result["score"], result["max-score"]) == (GAINED[kind], 5)
    assert [result[key] for key in ("classroom", "assignment", "owner", "review")] == [
        "vision", "relu", "anna", "https://example.org/v"]
    body = (tmp_path / "release-body.md").read_text()
    assert body.startswith(f"### {GAINED[kind]} of 5 points\n")


def test_classroom50_takes_whole_points_only(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="points: Classroom 50 takes whole numbers, got 0.5 for"):
        write_classroom50_bundle(tmp_path, {"relu_forward": 0.5})
    require_whole({"relu_forward": 2.0})


def test_otter_gets_a_file_for_each_exercise(tmp_path: Path) -> None:
    paths = write_otter_questions(
        tmp_path / "tests", ["relu"], {**WORTH, "affine_backward": 1.5})
    assert [path.name for path in paths] == ["relu.py", "affine_backward.py"]
    for path in paths:
        compile(path.read_text(), path, "exec")
    assert "points = 5\n" in paths[0].read_text()


@pytest.fixture(scope="module")
def otter_grades(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """How Otter-Grader itself grades the four pieces of homework, each a script and a notebook."""
    execute = pytest.importorskip("otter.execute", reason="otter-grader is not installed")
    folder = tmp_path_factory.mktemp("otter")
    (question,) = write_otter_questions(folder / "tests", ["relu"], WORTH, timeout=3)

    def grades(path: Path) -> Any:
        return execute.grade_notebook(
            str(path), tests_glob=[str(question)], test_dir=str(question.parent),
            script=path.suffix == ".py", cwd=str(folder))

    return folder, grades


@pytest.mark.slow(seconds=40)
@pytest.mark.parametrize("kind", HOMEWORK)
def test_otter_grades_by_its_test_file(
    otter_grades: Any, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, grades = otter_grades
    monkeypatch.chdir(folder)
    path = folder / f"{kind}.py"
    path.write_text(HOMEWORK[kind])
    results = grades(path)
    assert (results.total, results.possible) == (GAINED[kind], 5)
    assert [each.name for each in folder.iterdir() if each.name.startswith(".minicnn")] == []
