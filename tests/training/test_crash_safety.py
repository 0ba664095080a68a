"""A run's files after kills, signals, full disks and second processes."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command_line import refused, run

from minicnn.cli import main
from minicnn.files.tensors import read_tensors
from minicnn.runs.folder import RunFolder
from minicnn.training import Experiment, Run

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="sends SIGKILL or SIGTERM")
DYING = str(Path(__file__).parents[1] / "programs" / "dying_process.py")


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


@POSIX
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


@POSIX
def test_the_whole_checkpoint_is_never_replaced_by_a_damaged_one(copied: Path) -> None:
    last = copied / "last.safetensors"
    last.write_bytes(last.read_bytes()[:-9])
    whole = (copied / "previous.safetensors").read_bytes()
    killed = subprocess.run(
        [sys.executable, DYING, "step", "1", "train",
         "--resume", "run", "--epochs", "5"], cwd=copied.parent, capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert (copied / "previous.safetensors").read_bytes() == whole
    resumed = run("train", "--resume", "run", "--epochs", "5", cwd=copied.parent)
    assert resumed.returncode == 0, resumed.stderr
    read_tensors(last, "checkpoint")
    read_tensors(copied / "previous.safetensors", "checkpoint")


@POSIX
def test_results_of_a_run_that_goes_on_are_removed(copied: Path) -> None:
    subprocess.run(
        [sys.executable, DYING, "step", "3", "train",
         "--resume", "run", "--epochs", "6"], cwd=copied.parent, capture_output=True)
    assert not (copied / "results.json").exists()
    assert not (copied / "report.html").exists()


def test_a_second_process_is_refused_and_a_dead_one_leaves_no_lock(finished: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "minicnn", "train", "killed.toml", "--out", "busy", "--epochs",
         "4000"], cwd=finished, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )
    try:
        while process.poll() is None and not (finished / "busy" / "last.safetensors").exists():
            time.sleep(0.05)
        second = run("train", "--resume", "busy", cwd=finished)
        assert second.returncode == 2
        assert second.stderr == (
            "minicnn: busy: another process is training in this folder; wait until it has ended\n")
        process.kill()
        process.wait()
        RunFolder(finished / "busy").lock().release()
    finally:
        process.kill()
        process.communicate()


@POSIX
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
    monkeypatch.setattr(Experiment, "load_data", lambda self: signal.raise_signal(signal.SIGTERM))
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as caught:
        main(["train", str(finished / "killed.toml"), "--out", str(tmp_path / "new")])
    assert caught.value.code == 128 + signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) == before
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("text", ["", "0", "-3", "2.5", "0s", "-1s", "s", "infs", "nans", "5m"])
def test_what_is_no_interval_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    line = refused(capsys, "train", "--checkpoint-every", text)
    assert line == ("minicnn: --checkpoint-every: expected a number of batches, as 200, or of "
                    f"seconds, as 90s, got {text!r}")
