"""`minicnn classroom`: files for the services."""

import shlex
import zipfile
from pathlib import Path

import pytest
from command_line import refused, status


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)


def test_an_archive_for_gradescope(capsys: pytest.CaptureFixture[str]) -> None:
    assert status("classroom", "gradescope", "relu", "--points", "2.5", "--timeout", "4",
                  "--hint", "2") == 0
    assert "written to autograder.zip" in capsys.readouterr().out
    script = zipfile.ZipFile("autograder.zip").read("run_autograder").decode()
    assert "--points relu_forward=2.5,relu_backward=2.5" in script
    assert "--timeout 4 --hint 2 " in script


def test_a_bundle_for_classroom_50(capsys: pytest.CaptureFixture[str]) -> None:
    assert status("classroom", "classroom50", "--points", "affine_backward=3") == 0
    assert "written to autograder/autograder.py" in capsys.readouterr().out.replace("\\", "/")
    assert "affine_backward=3" in Path("autograder/autograder.py").read_text()
    assert len(list(Path("autograder").glob("minicnn-*.whl"))) == 1


def test_questions_for_otter(capsys: pytest.CaptureFixture[str]) -> None:
    assert status("classroom", "otter", "relu", "dropout") == 0
    assert sorted(path.name for path in Path("tests").iterdir()) == ["dropout.py", "relu.py"]
    assert "dropout.py" in capsys.readouterr().out


@pytest.mark.parametrize("service", ["gradescope", "classroom50", "otter"])
@pytest.mark.parametrize(("arguments", "message"), [
    ([], "exercises: expected what is asked"),
    (["batchnrm"], "exercises: expected names of exercises or of functions, got 'batchnrm'; did"),
    (["relu", "--points", "x"], "--points: expected a number of points"),
    (["relu", "--hint", "4"], "--hint: expected 1, 2 or 3, got 4"),
    (["relu", "--timeout", "-1"], "--timeout: expected seconds in"),
])
def test_refusals(
    service: str, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert message in refused(capsys, "classroom", service, *arguments)


def test_classroom_50_refuses_parts_of_points(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--points: Classroom 50 takes whole numbers" in refused(
        capsys, "classroom", "classroom50", "relu", "--points", "1.5")
    Path("a.py").write_text("")
    assert "--points: Classroom 50 takes whole numbers" in refused(
        capsys, "check", "a.py", "--format", "classroom50", "--points", "1.5")


def test_how_a_class_is_built_goes_along() -> None:
    asked = ("--points", "Norm.backward=3", "--build", "Norm(gamma, 'b c')")
    for service in ("gradescope", "classroom50", "otter"):
        assert status("classroom", service, *asked) == 0
    script = zipfile.ZipFile("autograder.zip").read("run_autograder").decode()
    words = shlex.split(script.split("-m minicnn")[1].split("&&")[0].replace("\\\n", " "))
    assert words[words.index("--build") + 1] == "Norm(gamma, 'b c')"
    for path in ("autograder/autograder.py", "tests/Norm_backward.py"):
        text = Path(path).read_text()
        compile(text, path, "exec")
        assert repr(["Norm(gamma, 'b c')"]) in text
