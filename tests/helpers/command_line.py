"""The command line as tests call it: as a process, or within this one."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from minicnn.cli import main

MINICNN = Path(sys.executable).with_name("minicnn")

TINY = """
name = "tiny"
seed = 1
[data]
train = 70
validation = 14
test = 14
[model]
layers = [
    {type = "Conv2D", filters = 4, stride = 2}, {type = "BatchNorm"}, {type = "ReLU"},
    {type = "MaxPool2D", size = 4}, {type = "Flatten"}, {type = "Dropout", rate = 0.2},
    {type = "Dense", units = 7},
]
[augmentation]
flip = true
shift = 0.05
[views]
mirror = true
[training]
stop_at_train_accuracy = 0.99
epochs = 3
batch_size = 32
"""
"""An experiment of a second."""


def run(*arguments: object, cwd: Path, **settings: Any) -> "subprocess.CompletedProcess[str]":
    """A real process; its output is no terminal."""
    return subprocess.run(
        [MINICNN, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, timeout=300,
        **settings,
    )


def status(*arguments: object) -> int:
    """The exit status of a command that runs within this process."""
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    assert ended.value.code is None or isinstance(ended.value.code, int)
    return ended.value.code or 0


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """The one line that a mistake ends with."""
    assert status(*arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("minicnn: ")
    return line
