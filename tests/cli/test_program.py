"""The program as a whole: its help, its version, what it says of an unknown command."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import refused, run, status
from distant_arrays import NAME, distant_backend


def test_the_version(tmp_path: Path) -> None:
    result = run("--version", cwd=tmp_path)
    assert result.returncode == 0
    assert result.stdout.startswith("minicnn 0.")


def test_the_package_is_found_beside_a_clone_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "minicnn").mkdir()  # Python sees a namespace package in such a folder
    result = subprocess.run(
        [sys.executable, "-m", "minicnn", "--version"], cwd=tmp_path, capture_output=True, text=True
    )
    assert result.stdout.startswith("minicnn 0."), result.stderr


@pytest.mark.parametrize("command", [
    ["train"], ["evaluate"], ["predict"], ["compare"], ["summary"], ["bench"], ["gradcheck"],
    ["check"], ["data", "audit"],
], ids=" ".join)
def test_every_command_has_an_example(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert status(*command, "--help") == 0
    assert f"Example  minicnn {' '.join(command)} " in capsys.readouterr().out


def test_an_unknown_command_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert "trian" in refused(capsys, "trian")


@pytest.mark.parametrize("command", [["train"], ["gradcheck", "Dense"]], ids=" ".join)
def test_a_backend_that_cannot_run_here_says_what_is_missing(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with distant_backend("no such chip was found; plug one in"):
        line = refused(capsys, *command, "--backend", NAME)
    assert line == (
        f"minicnn: backend: {NAME} cannot run on this machine: no such chip was found; plug one in"
    )


READING = """
import atexit, time
import minicnn.data.fer2013 as fer2013
from minicnn.cli import main

def read(*arguments, **settings):
    print("reading", flush=True)
    time.sleep(60)

fer2013._read = read
atexit.register(print, "Python's own end")
main()
"""


@pytest.mark.slow(seconds=2)
@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="needs SIGHUP")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
@pytest.mark.parametrize("command", [
    ["data", "audit"], ["train", "paper-bn", "--out", "run", "--data"],
], ids=lambda command: command[0])
def test_a_signal_while_a_table_is_read_is_answered_in_one_line(
    command: list[str], name: str, tmp_path: Path
) -> None:
    (tmp_path / "faces.csv").touch()
    process = subprocess.Popen(
        [sys.executable, "-c", READING, *command, "faces.csv"], cwd=tmp_path, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "reading\n"
    number = getattr(signal, name)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert "Python's own end" not in out  # it may fail after C code was interrupted
    assert err.splitlines()[-1] == "minicnn: interrupted"
    assert process.returncode == 128 + number
