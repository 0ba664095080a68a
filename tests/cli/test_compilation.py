"""What is shown while kernels are compiled."""

import io
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from minicnn.cli import compilation
from minicnn.cli.compilation import CompilationLine


def compile_three(line: CompilationLine) -> None:
    line.begin("gemm.multiply")
    line.begin("gemm.tile")
    line.end()
    line.end()
    assert not line.is_compiling()
    line.begin("pool2d.forward")
    assert line.is_compiling()
    line.end()


def test_a_pipe_gets_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    line = CompilationLine()
    compile_three(line)
    line.close()
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert printed.err.startswith("compiling kernels for this machine")


def test_nothing_is_said_where_nothing_is_compiled(capsys: pytest.CaptureFixture[str]) -> None:
    CompilationLine().close()
    assert capsys.readouterr() == ("", "")


def test_a_terminal_sees_each_kernel_and_a_sum(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    screen = Console(file=io.StringIO(), force_terminal=True, width=120)
    monkeypatch.setattr(compilation, "console", screen)
    seen: list[str] = []
    monkeypatch.setattr(
        compilation.Status, "update", lambda self, text: seen.append(text)
    )
    line = CompilationLine()
    compile_three(line)
    line.close()
    assert [text.split("number ")[1].split(", after")[0] for text in seen] == [
        "1, gemm.multiply", "2, gemm.tile", "3, pool2d.forward"
    ]
    assert all("once for this machine" in text for text in seen)
    assert capsys.readouterr().err.startswith("compiled 3 kernels for this machine in 0 s")


@pytest.mark.parametrize("compiling", [True, False])
def test_a_signal_is_told_in_one_line(
    compiling: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    line = CompilationLine()
    if compiling:
        line.begin("gemm.multiply")
        capsys.readouterr()
    line.interrupted(15)
    printed = capsys.readouterr().err
    assert printed.startswith("minicnn: interrupted")
    assert ("kernels" in printed) is compiling


TRAINING = """
import hashlib, signal
from types import SimpleNamespace
from numba.core import event
from minicnn.cli.program import main
from minicnn.training.run import Run

def train(self, *, every_layer=False):  # a compiler that does not let go for half an hour
    signal.signal(signal.SIGTERM, lambda number, frame: None)  # nor ends before it begins
    with event.trigger_event("numba:compile", {"dispatcher": SimpleNamespace(py_func=train)}):
        hashlib.pbkdf2_hmac("sha512", b"", b"", 2**31 - 1)

Run.train = train
main(["train", "tiny.toml", "--backend", "cpu", "--out", "a run"])
"""

EXPERIMENT = """
name = "tiny"
data = {source = "drawn-faces", train = 14, validation = 7, test = 7}
model = {layers = [{type = "Flatten"}, {type = "Dense", units = 7}]}
optimizer = {name = "sgd"}
training = {epochs = 1, batch_size = 7}
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="needs signals")
def test_training_that_is_cut_short_inside_the_compiler_says_how_to_begin_again(
    tmp_path: Path
) -> None:
    (tmp_path / "tiny.toml").write_text(EXPERIMENT, encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-c", TRAINING], cwd=tmp_path, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    assert process.stderr.readline().startswith("compiling kernels")
    process.send_signal(signal.SIGTERM)
    printed, said = process.communicate(timeout=120)
    assert process.returncode == 143
    assert "interrupted while kernels are compiled" in said
    assert printed.splitlines()[-1] == (
        "Stopped before the first checkpoint. Begin again with:  "
        "minicnn train --resume 'a run'"
    )
