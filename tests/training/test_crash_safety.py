"""A run's files after kills, full disks, second processes, edits and damage."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from kill_and_resume import EXPERIMENT, differ, result

from minicnn import load
from minicnn.cli import main
from minicnn.files.tensors import read_tensors, write_tensors
from minicnn.runs.folder import RunFolder
from minicnn.training import Experiment, Run, read_experiment

DYING = str(Path(__file__).parents[1] / "programs" / "dying_process.py")


def minicnn(*arguments: str, cwd: Path) -> subprocess.CompletedProcess:
    """The command in a process of its own."""
    return subprocess.run([sys.executable, "-m", "minicnn", *arguments], cwd=cwd,
                          capture_output=True, text=True)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line that a mistake ends with."""
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of runs, with one that is finished."""
    folder = tmp_path_factory.mktemp("runs")
    (folder / "killed.toml").write_text(EXPERIMENT)
    ended = minicnn("train", "killed.toml", "--out", "whole", "--checkpoint-every", "4", cwd=folder)
    assert ended.returncode == 0, ended.stderr
    return folder


@pytest.fixture
def copied(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished run that a test may spoil."""
    shutil.copytree(finished / "whole", tmp_path / "run")
    return tmp_path / "run"


def test_a_full_disk_is_said_of_the_checkpoint_itself(
    copied: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (copied / "last.safetensors").read_bytes()
    write = Path.write_bytes

    def fail(self: Path, data: bytes) -> int:
        if "last.safetensors" in self.name:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(self, data)

    monkeypatch.setattr(Path, "write_bytes", fail)
    assert refused(capsys, "train", "--resume", str(copied), "--epochs", "5") == (
        f"minicnn: {copied / 'last.safetensors'}: cannot be written (No space left on device); "
        "what was there before is as it was")
    assert (copied / "last.safetensors").read_bytes() == before


def test_a_damaged_checkpoint_gives_way_to_the_one_before(finished: Path, copied: Path) -> None:
    last = copied / "last.safetensors"
    whole = last.read_bytes()
    last.write_bytes(whole[: len(whole) // 2])
    resumed = minicnn("train", "--resume", "run", cwd=copied.parent)
    assert resumed.returncode == 0, resumed.stderr
    assert "last.safetensors is damaged or missing: going on from previous" in resumed.stdout
    differ(result(finished / "whole"), result(copied), "run")

    for name in ("last", "previous"):
        (copied / f"{name}.safetensors").write_bytes(b"nothing")
    resumed = minicnn("train", "--resume", "run", cwd=copied.parent)
    assert resumed.returncode == 2
    assert "expected a minicnn checkpoint, got a damaged or foreign file" in resumed.stderr


def test_a_run_without_a_checkpoint_begins_again(finished: Path, copied: Path) -> None:
    for name in ("last.safetensors", "previous.safetensors", "model.safetensors", "results.json"):
        (copied / name).unlink()
    (copied / ".other.part").mkdir()
    (copied / ".last.safetensors.abc.part").write_bytes(b"half")
    resumed = minicnn("train", "--resume", "run", "--checkpoint-every", "4", cwd=copied.parent)
    assert resumed.returncode == 0, resumed.stderr
    assert "no checkpoint yet: the run begins again" in resumed.stdout
    (copied / ".other.part").rmdir()
    differ(result(finished / "whole"), result(copied), "run")


def test_a_run_that_begins_again_writes_down_what_was_changed(copied: Path) -> None:
    for name in ("last.safetensors", "previous.safetensors", "model.safetensors", "results.json"):
        (copied / name).unlink()
    epochs = read_experiment(copied / "experiment.toml").training.epochs
    for options in (["--epochs", str(epochs + 1)], []):
        resumed = minicnn("train", "--resume", "run", *options, cwd=copied.parent)
        assert resumed.returncode == 0, resumed.stderr
        assert read_experiment(copied / "experiment.toml").training.epochs == epochs + 1


def test_a_run_that_has_lost_its_checkpoints_is_not_begun_again(
    copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = (copied / "model.safetensors").read_bytes()
    for name in ("last", "previous"):
        (copied / f"{name}.safetensors").unlink()
    assert "last.safetensors: expected a minicnn checkpoint" in refused(
        capsys, "train", "--resume", str(copied))
    assert (copied / "model.safetensors").read_bytes() == model


@pytest.mark.parametrize("content", [None, b"half", "another"])
def test_the_best_model_is_that_of_the_checkpoint(
    finished: Path, copied: Path, content: bytes | str | None
) -> None:
    path = copied / "model.safetensors"
    if content is None:
        path.unlink()
    elif content == "another":  # as of a later epoch, whose checkpoint a kill prevented
        model = load(path)
        model.load_state_dict({name: array + 1 for name, array in model.state_dict().items()})
        model.save(path)
    else:
        path.write_bytes(content)
    resumed = minicnn("train", "--resume", "run", cwd=copied.parent)
    assert resumed.returncode == 0, resumed.stderr
    assert path.read_bytes() == (finished / "whole" / "model.safetensors").read_bytes()
    differ(result(finished / "whole"), result(copied), "run")


def test_a_model_that_the_checkpoint_does_not_know_is_removed(
    finished: Path, tmp_path: Path
) -> None:
    dying = DYING
    options = ["train", str(finished / "killed.toml"), "--out", "run"]
    # moments at which files have taken their places; the model is the first after an epoch
    for moment in range(1, 12):
        subprocess.run([sys.executable, dying, "replaced", str(moment), *options], cwd=tmp_path,
                       capture_output=True)
        folder = RunFolder(tmp_path / "run")
        if folder.model.exists():
            break
        shutil.rmtree(folder.path)
    header, _ = read_tensors(folder.last, "checkpoint")
    assert header["trainer"]["history"] == []
    killed = subprocess.run([sys.executable, dying, "step", "1", "train", "--resume", "run"],
                            cwd=tmp_path, capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert not folder.model.exists()


def test_a_damaged_best_model_in_a_checkpoint_is_named(
    copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    header, arrays = read_tensors(copied / "last.safetensors", "checkpoint")
    key = next(key for key in arrays if key.startswith("callback ") and "dense_1.w" in key)
    (copied / "previous.safetensors").unlink()
    for change, complaint in [
        (lambda array: array[:-1], "BestModel: dense_1.w must have shape"),
        (None, "BestModel: the state lacks dense_1.w"),
    ]:
        changed = dict(arrays)
        whole = changed.pop(key)
        if change is not None:
            changed[key] = change(whole)
        write_tensors(copied / "last.safetensors", "checkpoint", header, changed)
        assert complaint in refused(capsys, "train", "--resume", str(copied))


def test_the_whole_checkpoint_is_never_replaced_by_a_damaged_one(copied: Path) -> None:
    last = copied / "last.safetensors"
    last.write_bytes(last.read_bytes()[:-9])
    whole = (copied / "previous.safetensors").read_bytes()
    killed = subprocess.run(
        [sys.executable, DYING, "step", "1", "train",
         "--resume", "run", "--epochs", "5"], cwd=copied.parent, capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert (copied / "previous.safetensors").read_bytes() == whole
    resumed = minicnn("train", "--resume", "run", "--epochs", "5", cwd=copied.parent)
    assert resumed.returncode == 0, resumed.stderr
    read_tensors(last, "checkpoint")
    read_tensors(copied / "previous.safetensors", "checkpoint")


def test_results_of_a_run_that_goes_on_are_removed(copied: Path) -> None:
    subprocess.run(
        [sys.executable, DYING, "step", "3", "train",
         "--resume", "run", "--epochs", "6"], cwd=copied.parent, capture_output=True)
    assert not (copied / "results.json").exists()
    assert not (copied / "report.html").exists()


@pytest.mark.parametrize(("place", "value"), [
    ("epoch", "x"), ("epoch", -5), ("epoch", 9), ("epochs", "x"), ("batch", -3), ("batch", 3.5),
    ("batch", 10**9), ("totals.loss", "x"), ("totals.images", 0.5), ("history", []),
    ("history.0.train_loss", "x"), ("stop_reason", 5), ("callbacks.1.best", "x"),
    ("callbacks.1.reductions", "x"), ("callbacks.3.steps", -1), ("callbacks.5.rows", [1]),
    ("callbacks.6.rows", [{"step": 1}]), ("callbacks.6.rows.0.layer", "\ud800"),
    ("callbacks.6.rows.0.output_mean", "x"), ("callbacks.8.waited", "evil"),
    ("callbacks.2.best", 3), ("generators.dropout_1.state.state", -1),
    ("generators.dropout_1.state.state", 2**200), ("generators.dropout_1", []), ("begun", 7),
])
def test_a_checkpoint_that_no_training_left_is_refused(
    copied: Path, capsys: pytest.CaptureFixture[str], place: str, value: object
) -> None:
    header, arrays = read_tensors(copied / "last.safetensors", "checkpoint")
    *way, last = place.split(".")
    holder = header["trainer"]
    for step in way:
        holder = holder[int(step) if step.isdigit() else step]
    assert last in holder
    holder[last] = value
    (copied / "previous.safetensors").unlink()
    write_tensors(copied / "last.safetensors", "checkpoint", header, arrays)
    # only the data tells how many batches an epoch has: what is told is then of the fit
    complaint = "fit: batch 1000000000 is done" if value == 10**9 else "last.safetensors"
    assert complaint in refused(capsys, "train", "--resume", str(copied), "--epochs", "9")


@pytest.mark.parametrize(("name", "value"), [
    ("model/batchnorm_1.running_var", -1.0), ("model/conv2d_1.w", np.nan),
    ("optimizer/", np.inf),
])
def test_numbers_that_no_training_leaves_are_refused(
    copied: Path, capsys: pytest.CaptureFixture[str], name: str, value: float
) -> None:
    header, arrays = read_tensors(copied / "last.safetensors", "checkpoint")
    key = next(key for key in arrays if key.startswith(name) and arrays[key].dtype.kind == "f")
    arrays[key].flat[0] = value
    (copied / "previous.safetensors").unlink()
    write_tensors(copied / "last.safetensors", "checkpoint", header, arrays)
    assert f"last.safetensors: {key}: expected" in refused(capsys, "train", "--resume", str(copied))


@pytest.mark.parametrize(("old", "new", "complaint"), [
    ("lr = 0.003", "lr = 0.004", "the run was begun with optimizer.lr = 0.003, got 0.004"),
    ("seed = 3", "seed = 4", "the run was begun with seed = 3, got 4"),
    ("rate = 0.3", "rate = 0.4", "the run was begun with model.layers = "),
    ("shift = 0.05", "shift = 0.06", "begun with augmentation.shift = 0.05, got 0.06"),
    ("batch_size = 32", "batch_size = 31", "begun with training.batch_size = 32, got 31"),
])
def test_other_settings_are_refused_by_name(
    copied: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, complaint: str
) -> None:
    experiment = copied / "experiment.toml"
    text = experiment.read_text()
    assert old in text
    experiment.write_text(text.replace(old, new))
    assert complaint in refused(capsys, "train", "--resume", str(copied))


def test_a_second_process_is_refused_and_a_dead_one_leaves_no_lock(finished: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "minicnn", "train", "killed.toml", "--out", "busy", "--epochs",
         "4000"], cwd=finished, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )
    try:
        while process.poll() is None and not (finished / "busy" / "last.safetensors").exists():
            time.sleep(0.05)
        second = minicnn("train", "--resume", "busy", cwd=finished)
        assert second.returncode == 2
        assert second.stderr == (
            "minicnn: busy: another process is training in this folder; wait until it has ended\n")
        process.kill()
        process.wait()
        RunFolder(finished / "busy").lock().release()
    finally:
        process.kill()
        process.communicate()


def test_sigterm_saves_and_says_how_to_go_on(finished: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "minicnn", "train", "killed.toml", "--out", "ended", "--epochs",
         "4000"], cwd=finished, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )
    history = finished / "ended" / "history.csv"
    while process.poll() is None and not (
        history.exists() and history.read_text().count("\n") > 1
    ):
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM, err
    assert "Stopped and saved. Go on with:  minicnn train --resume ended" in out
    header, _ = read_tensors(finished / "ended" / "last.safetensors", "checkpoint")
    assert header["trainer"]["epoch"] == len(header["trainer"]["history"]) + 1


@pytest.mark.parametrize("ended", [KeyboardInterrupt(), SystemExit(143)])
def test_what_was_not_saved_is_not_said_to_be(
    finished: Path, copied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], ended: BaseException,
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise ended

    monkeypatch.setattr(Run, "train", fail)
    new = tmp_path / "new"
    kept = "Stopped; its last checkpoint is as it was. Go on"
    for arguments, folder, state in [
        (["--resume", str(copied)], copied, kept),
        (["--resume", str(copied)], copied, kept),
        ([str(finished / "killed.toml"), "--out", str(new)], new,
         "Stopped before the first checkpoint. Begin again"),
    ]:
        with pytest.raises(SystemExit) as caught:
            main(["train", *arguments])
        assert caught.value.code == (143 if isinstance(ended, SystemExit) else 130)
        last = capsys.readouterr().out.splitlines()[-1]
        assert last == f"{state} with:  minicnn train --resume {folder}"
        (copied / "last.safetensors").unlink(missing_ok=True)  # the one before it is there


def test_sigterm_ends_with_its_own_status_while_data_is_loaded(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Experiment, "load_data", lambda self: os.kill(os.getpid(), signal.SIGTERM))
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as caught:
        main(["train", str(finished / "killed.toml"), "--out", str(tmp_path / "new")])
    assert caught.value.code == 128 + signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) == before
    assert not (tmp_path / "new").exists()


def test_a_run_goes_on_with_its_own_number_of_threads(
    finished: Path, tmp_path: Path
) -> None:
    started = minicnn("train", str(finished / "killed.toml"), "--out", "one", "--threads", "1",
                      "--epochs", "1", cwd=tmp_path)
    assert started.returncode == 0, started.stderr
    for options, note in [([], False), (["--threads", "2"], True)]:
        if note and (os.cpu_count() or 1) < 2:
            continue
        resumed = minicnn("train", "--resume", "one", "--epochs", "2", *options, cwd=tmp_path)
        assert resumed.returncode == 0, resumed.stderr
        assert ("note: the run was last saved with threads 1, now it is 2" in " ".join(
            resumed.stdout.split())) == note


@pytest.mark.parametrize("text", ["", "0", "-3", "2.5", "0s", "-1s", "s", "infs", "nans", "5m"])
def test_what_is_no_interval_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    line = refused(capsys, "train", "--checkpoint-every", text)
    assert line == ("minicnn: --checkpoint-every: expected a number of batches, as 200, or of "
                    f"seconds, as 90s, got {text!r}")


def test_checkpoints_come_as_often_as_asked(finished: Path) -> None:
    header, _ = read_tensors(finished / "whole" / "previous.safetensors", "checkpoint")
    assert header["trainer"]["batch"] == 8  # of nine batches an epoch, the last but one checkpoint
    assert json.dumps(header["circumstances"])
