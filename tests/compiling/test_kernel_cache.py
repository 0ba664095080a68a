"""Kernels that are kept on disk: damaged files, places that cannot be written to, two at once."""

import os
import pickle
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import pytest

PACKAGE = Path(__file__).parents[2] / "minicnn"

RELU = """
import numpy as np
from minicnn import ops
x = np.arange(-6.0, 6.0, dtype=np.float32).reshape(3, 4)
y, cache = ops.cpu.relu_forward(x)
assert (y == x * (x > 0)).all()
print(*ops.cpu.relu_forward(x.astype(np.float64))[0][2])
"""

ANSWER = "2.0 3.0 4.0 5.0\n"


def environment(**changes: object) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items()
                 if not name.startswith(("NUMBA_", "MINICNN_"))}
    return {**inherited, **{name: str(value) for name, value in changes.items()}}


def ended(program: str, **changes: Any) -> "subprocess.CompletedProcess[str]":
    """A fresh process."""
    return subprocess.run([sys.executable, "-c", program], env=environment(**changes), text=True,
                          capture_output=True, timeout=300, cwd=changes.get("PYTHONPATH"))


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with the kernels of `RELU`."""
    folder = tmp_path_factory.mktemp("kernels")
    assert ended(RELU, NUMBA_CACHE_DIR=folder).stdout == ANSWER
    return folder


def empty(file: Path) -> None:
    file.write_bytes(b"")


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def noise(file: Path) -> None:
    file.write_bytes(bytes(range(256)) * 8)


def nonsense(file: Path) -> None:
    """A pickle of something else, behind the right version where it is an index."""
    file.write_bytes(pickle.dumps(numba.__version__) + pickle.dumps(["no", "index", file.name]))


def other_version(file: Path) -> None:
    file.write_bytes(pickle.dumps("0.1") + b"what only that version can read")


def folder_instead(file: Path) -> None:
    file.unlink()
    file.mkdir()


@pytest.mark.slow(seconds=3)
@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
@pytest.mark.parametrize("damage", [empty, cut, noise, nonsense, other_version, folder_instead])
def test_a_damaged_file_is_compiled_again_without_a_word(
    damage: Callable[[Path], None], suffix: str, full: Path, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    shutil.copytree(full, cache)
    files = list(cache.rglob(f"*{suffix}"))
    assert len(files) >= 2
    for file in files:
        damage(file)
    first = ended(RELU, NUMBA_CACHE_DIR=cache)
    assert first.stdout == ANSWER, first.stderr
    assert "Traceback" not in first.stderr
    if damage is not folder_instead:
        assert first.stderr == ""
        again = ended(LOADED, NUMBA_CACHE_DIR=cache)  # and kept again
        assert again.stdout == "compiled: 0\n", again.stderr


LOADED = """
from numba.core import event
with event.install_recorder("numba:compile") as record:
""" + "\n".join("    " + line for line in RELU.splitlines() if "print" not in line) + """
print("compiled:", len(record.buffer))
"""


@pytest.mark.slow(seconds=3)
def test_a_kernel_under_another_ones_number_is_not_used(full: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    shutil.copytree(full, cache)
    (single, double), *_ = (sorted(group.parent.glob(group.name.replace(".1.nbc", ".*.nbc")))
                            for group in cache.rglob("activations._relu-*.1.nbc"))
    single_code, double_code = single.read_bytes(), double.read_bytes()
    single.write_bytes(double_code)
    double.write_bytes(single_code)
    assert ended(RELU, NUMBA_CACHE_DIR=cache).stdout == ANSWER


@pytest.mark.slow(seconds=5)
def test_a_kernel_is_compiled_again_where_a_function_that_it_calls_has_changed(
    tmp_path: Path
) -> None:
    helpers = tmp_path / "site/minicnn/ops/cpu/linalg/blocks.py"
    shutil.copytree(PACKAGE, tmp_path / "site/minicnn",
                    ignore=shutil.ignore_patterns("__pycache__"))
    right = helpers.read_text(encoding="utf-8")
    places = {"NUMBA_CACHE_DIR": tmp_path / "kernels", "PYTHONPATH": tmp_path / "site",
              "PYTHONDONTWRITEBYTECODE": 1}
    line = "return block * rows // BLOCKS, (block + 1) * rows // BLOCKS"
    assert line in right
    # a release whose blocks were all empty: its kernels write nothing
    helpers.write_text(right.replace(line, "return 0, 0"), encoding="utf-8")
    assert ended(RELU, **places).stdout != ANSWER
    helpers.write_text(right, encoding="utf-8")
    assert ended(RELU, **places).stdout == ANSWER


@pytest.fixture
def unwritable(tmp_path: Path) -> Path:
    """A copy of the package in which no cache can be made: files stand where folders belong."""
    copy = tmp_path / "site"
    shutil.copytree(PACKAGE, copy / "minicnn", ignore=shutil.ignore_patterns("__pycache__"))
    for folder in (path.parent for path in list(copy.rglob("*.py"))):
        (folder / "__pycache__").touch()
    return copy


@pytest.mark.slow(seconds=6)
def test_without_a_place_kernels_go_to_a_folder_for_temporary_files(
    unwritable: Path, tmp_path: Path
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    nowhere = {"HOME": os.devnull + "/x", "XDG_CACHE_HOME": os.devnull + "/x",
               "PYTHONPATH": unwritable, "PYTHONDONTWRITEBYTECODE": 1}
    first = ended(RELU, TMPDIR=temporary, **nowhere)
    assert first.stdout == ANSWER, first.stderr
    (line,) = first.stderr.splitlines()
    assert "NUMBA_CACHE_DIR" in line
    (folder,) = temporary.iterdir()
    assert str(folder) in line
    if hasattr(os, "getuid"):
        assert folder.stat().st_mode & 0o777 == 0o700
    again = ended(LOADED, TMPDIR=temporary, **nowhere)
    assert again.stdout == "compiled: 0\n"


@pytest.mark.slow(seconds=3)
@pytest.mark.skipif(not hasattr(os, "symlink"), reason="needs symbolic links")
def test_a_folder_that_another_user_could_have_made_is_not_trusted(
    unwritable: Path, tmp_path: Path
) -> None:
    temporary = tmp_path / "tmp"
    (temporary / "elsewhere").mkdir(parents=True)
    planted = temporary / f"minicnn-kernels-{os.getuid()}"
    planted.symlink_to(temporary / "elsewhere")
    result = ended(RELU, TMPDIR=temporary, HOME=os.devnull + "/x", PYTHONPATH=unwritable,
                   XDG_CACHE_HOME=os.devnull + "/x", PYTHONDONTWRITEBYTECODE=1)
    assert result.stdout == ANSWER
    assert list((temporary / "elsewhere").iterdir()) == []


FULL_DISK = """
import numba.core.caching as caching
def refuse(*arguments):
    raise OSError(28, "No space left on device")
caching.IndexDataCacheFile._save_index = refuse
"""


@pytest.mark.slow(seconds=3)
def test_a_full_disk_is_said_once(tmp_path: Path) -> None:
    result = ended(FULL_DISK + RELU, NUMBA_CACHE_DIR=tmp_path)
    assert result.stdout == ANSWER
    (line,) = result.stderr.splitlines()
    assert "No space left on device" in line
    assert "NUMBA_CACHE_DIR" in line


@pytest.mark.slow(seconds=8)
def test_two_fill_one_cache_while_a_third_is_killed(tmp_path: Path) -> None:
    def begin() -> "subprocess.Popen[str]":
        return subprocess.Popen([sys.executable, "-c", RELU], text=True, stdout=subprocess.PIPE,
                                env=environment(NUMBA_CACHE_DIR=tmp_path))

    processes = [begin() for _ in range(3)]
    deadline = time.monotonic() + 60
    while not list(tmp_path.rglob("*.nb*")) and time.monotonic() < deadline:
        time.sleep(0.01)
    processes[2].send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))
    assert [process.communicate(timeout=300)[0] for process in processes[:2]] == 2 * [ANSWER]
    assert ended(LOADED, NUMBA_CACHE_DIR=tmp_path).stdout == "compiled: 0\n"
