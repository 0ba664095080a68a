"""The command line in a process of its own, and the line that it ends with."""

import subprocess
import sys
from pathlib import Path

import pytest

from minicnn.cli import main


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
