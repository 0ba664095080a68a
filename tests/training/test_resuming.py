"""Resuming a run: from which checkpoint, with what, and what is refused."""

import io
import os
from pathlib import Path

import numpy as np
import pytest
from command_line import refused, run
from kill_and_resume import differ, result
from rich.console import Console

from minicnn import InputError, load
from minicnn.files.tensors import read_tensors, write_tensors
from minicnn.training import read_experiment, resume_run


def test_a_damaged_checkpoint_gives_way_to_the_one_before(finished: Path, copied: Path) -> None:
    last = copied / "last.safetensors"
    whole = last.read_bytes()
    last.write_bytes(whole[: len(whole) // 2])
    resumed = run("train", "--resume", "run", cwd=copied.parent)
    assert resumed.returncode == 0, resumed.stderr
    assert "last.safetensors is damaged or missing: going on from previous" in resumed.stdout
    differ(result(finished / "whole"), result(copied), "run")

    for name in ("last", "previous"):
        (copied / f"{name}.safetensors").write_bytes(b"nothing")
    resumed = run("train", "--resume", "run", cwd=copied.parent)
    assert resumed.returncode == 2
    assert "expected a minicnn checkpoint, got a damaged or foreign file" in resumed.stderr


def test_a_run_without_a_checkpoint_begins_again(finished: Path, copied: Path) -> None:
    for name in ("last.safetensors", "previous.safetensors", "model.safetensors", "results.json"):
        (copied / name).unlink()
    (copied / ".other.part").mkdir()
    (copied / ".last.safetensors.abc.part").write_bytes(b"half")
    resumed = run("train", "--resume", "run", "--checkpoint-every", "4", cwd=copied.parent)
    assert resumed.returncode == 0, resumed.stderr
    assert "no checkpoint yet: the run begins again" in resumed.stdout
    (copied / ".other.part").rmdir()
    differ(result(finished / "whole"), result(copied), "run")


def test_a_run_that_begins_again_writes_down_what_was_changed(copied: Path) -> None:
    for name in ("last.safetensors", "previous.safetensors", "model.safetensors", "results.json"):
        (copied / name).unlink()
    epochs = read_experiment(copied / "experiment.toml").training.epochs
    for options in (["--epochs", str(epochs + 1)], []):
        resumed = run("train", "--resume", "run", *options, cwd=copied.parent)
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
    resumed = run("train", "--resume", "run", cwd=copied.parent)
    assert resumed.returncode == 0, resumed.stderr
    assert path.read_bytes() == (finished / "whole" / "model.safetensors").read_bytes()
    differ(result(finished / "whole"), result(copied), "run")


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


def test_a_setting_that_may_not_change_is_refused_and_those_that_may_are_named(
    copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = refused(capsys, "train", "--resume", copied, "--lr", "0.5")
    assert line == (
        "minicnn: --lr: the run has optimizer.lr = 0.003, got 0.5; only --epochs may change, and "
        "--data where the images of FER2013 are now")
    line = refused(capsys, "train", "--resume", copied, "--epochs", "0")
    assert line == "minicnn: --epochs: training.epochs: expected at least 1, got 0"
    with pytest.raises(InputError) as caught:
        resume_run(copied, {"optimizer.lr": 0.5}, Console(file=io.StringIO()))
    assert str(caught.value) == (
        "optimizer.lr: the run has optimizer.lr = 0.003, got 0.5; only training.epochs may "
        "change, and data.path where the images of FER2013 are now")


def test_a_run_goes_on_with_its_own_number_of_threads(
    finished: Path, tmp_path: Path
) -> None:
    started = run("train", str(finished / "killed.toml"), "--out", "one", "--threads", "1",
                      "--epochs", "1", cwd=tmp_path)
    assert started.returncode == 0, started.stderr
    for options, note in [([], False), (["--threads", "2"], True)]:
        if note and (os.cpu_count() or 1) < 2:
            continue
        resumed = run("train", "--resume", "one", "--epochs", "2", *options, cwd=tmp_path)
        assert resumed.returncode == 0, resumed.stderr
        assert ("note: the run was last saved with threads 1, now it is 2" in " ".join(
            resumed.stdout.split())) == note
