"""`minicnn warmup`: after it nothing is compiled."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from command_line import refused
from PIL import Image

from minicnn.ops import cpu
from minicnn.ops.cpu.linalg import kept_kernels

PROGRAM = """
import sys
from numba.core import event
from minicnn.cli.program import main

class Names(event.Listener):
    names = []
    def on_start(self, event): self.names.append(event.data["dispatcher"].py_func.__qualname__)
    def on_end(self, event): pass

with event.install_listener("numba:compile", Names()):
    try:
        main(sys.argv[1:])
    finally:
        print("compiled", Names.names, file=sys.stderr)
"""

EXPERIMENT = """
name = "tiny"
[data]
source = "drawn-faces"
train = 70
validation = 14
test = 14
[model]
layers = [
    {type = "Conv2D", filters = 4, padding = 1}, {type = "BatchNorm"}, {type = "ReLU"},
    {type = "GlobalAvgPool2D"}, {type = "Dense", units = 7},
]
[optimizer]
name = "adam"
[training]
epochs = 1
batch_size = 32
"""


def run(folder: Path, *arguments: str) -> tuple[str, list[str]]:
    """What a command prints in a fresh process, and on stderr."""
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], cwd=folder, text=True, check=False,
        capture_output=True, env=os.environ | {"NUMBA_CACHE_DIR": str(folder / "kernels")},
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout, ended.stderr.splitlines()


@pytest.mark.slow
def test_after_it_nothing_is_compiled(tmp_path: Path) -> None:
    (tmp_path / "tiny.toml").write_text(EXPERIMENT, encoding="utf-8")
    Image.fromarray(np.full((48, 48), 99, np.uint8)).save(tmp_path / "face.png")
    first, said = run(tmp_path, "warmup", "tiny.toml")
    assert "kernels compiled in" in first
    assert str(tmp_path / "kernels") in first
    assert said[-1] != "compiled []"
    again, said = run(tmp_path, "warmup", "tiny.toml")
    assert again.startswith("all kernels are compiled")
    assert said == ["compiled []"]
    for command in (
        ("train", "tiny.toml", "--out", "made"), ("evaluate", "made"),
        ("predict", "--backend", "cpu", "made", "face.png", "--whole"),
    ):
        assert run(tmp_path, *command)[1][-1] == "compiled []", command


def test_an_unknown_experiment_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert "nosuch" in refused(capsys, "warmup", "nosuch")


def test_a_note_holds_for_one_source_and_one_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, notes = tmp_path / "source", tmp_path / "notes"
    source.mkdir()
    notes.mkdir()
    (source / "kernel.py").write_text("x = 1")
    monkeypatch.setattr(kept_kernels, "PACKAGE", source)
    monkeypatch.setattr(kept_kernels, "_own_folder", lambda: notes)
    assert not cpu.all_compiled("one")
    cpu.note_all_compiled("one")
    cpu.note_all_compiled("two")
    assert cpu.all_compiled("one")
    assert cpu.all_compiled("two")
    assert not cpu.all_compiled("three")
    (source / "kernel.py").write_text("x = 2")
    assert not cpu.all_compiled("one")


def test_the_cache_is_where_numba_has_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    beside = Path(kept_kernels.__file__).parent / "__pycache__"
    for own, expected in (
        (beside, kept_kernels.PACKAGE), (tmp_path / "linalg_0123", tmp_path),
    ):
        monkeypatch.setattr(kept_kernels, "_own_folder", lambda own=own: own)
        assert cpu.cache_folder() == expected
