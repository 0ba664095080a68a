"""The cuda backend from the command line: what is missing, and a run without a GPU."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from command_line import TINY, refused, run, status

from minicnn.files.tensors import read_tensors
from minicnn.ops import available_backends
from minicnn.ops.cuda import support
from minicnn.ptx.requirement import MISSING, installed

NO_GPU = "no NVIDIA GPU with its driver was found: install the driver, or set "
SMALLER = {"train = 70": "train = 14", "validation = 14": "validation = 7", "test = 14": "test = 7",
           "filters = 4, stride = 2": "filters = 4, stride = 4", "epochs = 3": "epochs = 1",
           "batch_size = 32": "batch_size = 7", "stop_at_train_accuracy = 0.99": ""}

interpreted = pytest.mark.skipif(not installed(), reason=MISSING)


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An experiment of two steps, in the working directory; the interpreter is asked for."""
    text = TINY
    for old, new in SMALLER.items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    (tmp_path / "small.toml").write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MINICNN_CUDA_DEVICE", "interpreter")
    return tmp_path


@contextmanager
def machine_without(what: str) -> Iterator[str]:
    """Within the block nothing but this is missing; gives how the sentence about it begins."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MINICNN_CUDA_DEVICE", raising=False)
        patch.setattr(support, "installed", lambda: what != "package")
        patch.setattr(support, "_driver", lambda: (0, (0, 0)))
        yield {"package": MISSING, "gpu": NO_GPU}[what]


@pytest.mark.parametrize("what", ["package", "gpu"])
@pytest.mark.parametrize("command", [
    ["train", "--limit", "200"], ["train", "--resume", "a run"], ["evaluate", "a model"],
    ["predict", "a picture.png"], ["gradcheck"], ["bench"],
], ids=" ".join)
def test_a_machine_that_cannot_run_cuda_says_in_one_sentence_why(
    command: list[str], what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with machine_without(what) as sentence:
        line = refused(capsys, *command, "--backend", "cuda")
        assert "cuda" not in available_backends()
    assert line.startswith(f"minicnn: backend: cuda cannot run on this machine: {sentence}")


@pytest.mark.parametrize("command", ["train", "gradcheck"])
def test_so_it_does_where_the_environment_names_cuda(command: str, tmp_path: Path) -> None:
    environment = {**os.environ, "MINICNN_BACKEND": "cuda", "CUDA_VISIBLE_DEVICES": ""}
    environment.pop("MINICNN_CUDA_DEVICE", None)
    ended = run(command, cwd=tmp_path, env=environment)
    sentence = NO_GPU if installed() else MISSING
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith(
        f"minicnn: MINICNN_BACKEND: cuda cannot run on this machine: {sentence}")
    assert ended.stderr.count("\n") == 1


@interpreted
@pytest.mark.cuda
@pytest.mark.slow(10)
def test_a_run_without_a_gpu_is_trained_measured_and_reported(
    small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status("train", "small.toml", "--out", "run", "--backend", "cuda") == 0
    assert Path("run", "report.html").stat().st_size > 10_000
    assert {path.suffix for path in Path("run", "pictures").iterdir()} == {".png"}
    recorded = read_tensors(Path("run", "last.safetensors"), "checkpoint")[0]["circumstances"]
    assert (recorded["backend"], recorded["gpu"]) == ("cuda", "interpreter")
    assert {"numba-cuda", "nvvm", "linker"} <= recorded.keys()
    capsys.readouterr()
    measured = []
    for backend in ("cuda", "reference"):
        assert status("evaluate", "run", "--backend", backend, "--json") == 0
        measured.append(json.loads(capsys.readouterr().out))
    assert measured[0]["confusion"] == measured[1]["confusion"]
    assert measured[0]["loss"] == pytest.approx(measured[1]["loss"], rel=1e-5)
    picture = next(Path("run", "pictures").glob("*.png"))
    answers = []
    for backend in ("cuda", "reference"):
        assert status("predict", "run", picture, "--whole", "--backend", backend, "--json") == 0
        (answer,) = json.loads(capsys.readouterr().out)
        assert (answer.pop("image"), answer.pop("box")) == (str(picture), None)
        answers.append(answer)
    assert answers[0] == pytest.approx(answers[1], abs=1e-5)


@interpreted
@pytest.mark.cuda
@pytest.mark.slow(10)
def test_the_environment_may_name_cuda_and_a_run_goes_on_elsewhere(small: Path) -> None:
    began = run("train", "small.toml", "--out", "run", cwd=small,
                env={**os.environ, "MINICNN_BACKEND": "cuda"})
    assert began.returncode == 0, began.stderr
    ended = run("train", "--resume", "run", "--epochs", 2, "--backend", "reference", cwd=small)
    assert ended.returncode == 0, ended.stderr
    assert "last saved with backend 'cuda', now it is 'reference'" in ended.stdout
    assert len(Path("run", "history.csv").read_text().splitlines()) == 3


@interpreted
@pytest.mark.cuda
def test_gradcheck_takes_cuda_along_where_it_can_run(
    small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status("gradcheck", "ReLU", "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["backend"] for row in rows} == {"cpu", "reference", "cuda"}
    assert all(row["verdict"] == "correct" for row in rows)
