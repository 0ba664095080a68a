"""What the commands show in terminals, pipes and files of several encodings and widths."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from rich.cells import cell_len

from minicnn.data import drawn_faces

PROGRAM = Path(__file__).parents[1] / "programs" / "every_command.py"

FAULTY = """
import numpy as np
def batchnorm_forward(x, gamma, beta, running_mean, running_var, *, training, momentum=0.9,
                      eps=1e-5):
    axes = tuple(range(x.ndim - 1))
    x_hat = (x - x.mean(axes)) / (np.sqrt(x.var(axes)) + eps)
    return gamma * x_hat + beta, (x_hat,)
"""

COMMANDS = (
    ["summary", "paper-bn"],
    ["predict", "Gesicht ü.png"],
    ["evaluate", "drawn", "--data", "fer2013.csv", "--split", "validation"],
    ["compare", "drawn", "real"],
    ["data", "audit", "fer2013.csv"],
    ["gradcheck", "ReLU"],
    ["check", "faulty.py"],
    ["train", "tiny.toml", "--out", "run"],
    ["train", "--resume", "run"],
    ["train", "--help"],
    ["--help"],
    ["evaluate", "Müller × 2"],
)

STATUSES = [0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 2]

OWN_LINES = ("command:", "status:", "minicnn:", "page:", "epoch ", "data:", "compiling")
"""What begins lines that are not folded."""


LEAST_HELP = 50
"""Characters in a line of help, where the terminal is narrower."""


def shown(where: str, encoding: str, width: int, folder: Path) -> str:
    """All that the commands show, on both streams."""
    arguments = [sys.executable, str(PROGRAM), json.dumps(COMMANDS)]
    environment = {
        **os.environ, "PYTHONIOENCODING": encoding, "MINICNN_BACKEND": "reference",
        "TERM": "xterm", "COLUMNS": str(width), "PYTHONUTF8": "0",
    }
    if where == "terminal":
        return in_a_terminal(arguments, environment, folder).decode(encoding)
    if where == "file":
        with (folder / "shown.txt").open("wb") as stream:
            subprocess.run(arguments, cwd=folder, env=environment, stdout=stream, stderr=stream,
                           check=True, timeout=300)
        return (folder / "shown.txt").read_bytes().decode(encoding)
    return subprocess.run(arguments, cwd=folder, env=environment, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=True, timeout=300,
                          ).stdout.decode(encoding)


def in_a_terminal(arguments: list[str], environment: dict[str, str], folder: Path) -> bytes:
    """What a process writes that believes to speak to a terminal."""
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(arguments, cwd=folder, env=environment, stdout=theirs,
                               stderr=theirs)
    os.close(theirs)
    parts = []
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # how Linux ends a terminal
            break
        if not part:
            break
        parts.append(part)
    os.close(ours)
    assert process.wait(timeout=300) == 0
    return re.sub(rb"\x1b\[[0-9;?]*[a-zA-Z]", b"", b"".join(parts)).replace(b"\r", b"\n")


@pytest.mark.slow(seconds=12)
@pytest.mark.parametrize(("where", "encoding", "width"), [
    ("terminal", "ascii", 40), ("terminal", "cp1252", 80), ("terminal", "utf-8", 200),
    ("pipe", "cp1252", 40), ("pipe", "utf-8", 80), ("pipe", "ascii", 200),
    ("file", "utf-8", 40), ("file", "ascii", 80), ("file", "cp1252", 200),
])
def test_every_command_shows_all_of_it(
    where: str, encoding: str, width: int, folder: Path, tmp_path: Path
) -> None:
    for name in ("drawn", "real", "fer2013.csv", "tiny.toml"):
        (tmp_path / name).symlink_to(folder / name)
    (tmp_path / "faulty.py").write_text(FAULTY)
    face = drawn_faces.load(train=7, validation=7, test=7).test.images[0]
    Image.fromarray(face.squeeze()).save(tmp_path / "Gesicht ü.png")
    text = shown(where, encoding, width, tmp_path)

    assert "Traceback" not in text
    statuses = [int(line.split()[1]) for line in text.splitlines() if line.startswith("status:")]
    assert statuses == STATUSES
    assert "…" not in re.sub("(first step|next time|measuring) …", "", text)
    for symbol in ("\\u", "\\x"):
        assert symbol not in text.replace("\\xfc", "").replace("\\xd7", "")
    for word in ("surprise", "multiply-adds", "21.4 %", "bn-eps-missing", "+ eps"):
        assert word in text.replace("\u202f", " ")
    assert {"ascii": "sigma^2", "cp1252": "sigma²", "utf-8": "σ²"}[encoding] in text
    for line in text.splitlines():
        if not line.startswith(OWN_LINES):
            assert cell_len(line.rstrip()) <= max(width, LEAST_HELP), line


COMPILATION = """
import time
from minicnn.cli.compilation import CompilationLine

line = CompilationLine()
for name in ("gemm.multiply", "gemm.tile", "pool2d.forward"):
    line.begin(name)
    time.sleep(0.5)
    line.end()
line.close()
"""


def test_the_line_of_compiling_moves_in_a_terminal(tmp_path: Path) -> None:
    shown = in_a_terminal(
        [sys.executable, "-c", COMPILATION], os.environ | {"COLUMNS": "100", "TERM": "xterm"},
        tmp_path,
    ).decode()
    lines = [line for line in shown.splitlines() if line.strip()]
    moving = [line for line in lines if "once for this machine: number" in line]
    assert len(moving) > 3  # it moves while one kernel is compiled, too
    assert "number 3, pool2d.forward, after" in moving[-1]
    assert lines[-1].startswith("compiled 3 kernels for this machine in ")
