"""Writing whole files or nothing."""

import errno
import os
import stat
from pathlib import Path

import numpy as np
import pytest

from minicnn import InputError
from minicnn.files.reading import require_file, require_folder
from minicnn.files.tensors import write_tensors
from minicnn.files.writing import append_text, atomic_path, atomic_write_text


def test_a_block_that_raises_leaves_the_earlier_file(tmp_path):
    path = tmp_path / "file.txt"
    atomic_write_text(path, "earlier")
    with pytest.raises(RuntimeError), atomic_path(path) as temporary:
        temporary.write_text("half of the")
        raise RuntimeError
    assert path.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_file_has_the_usual_permissions(tmp_path):
    usual, atomic = tmp_path / "usual", tmp_path / "atomic"
    usual.write_text("x")
    atomic_write_text(atomic, "x")
    assert stat.S_IMODE(atomic.stat().st_mode) == stat.S_IMODE(usual.stat().st_mode)


def test_missing_files_and_folders_in_the_wrong_place_are_named(tmp_path):
    with pytest.raises(InputError, match="got a folder"):
        require_file(tmp_path, "a thing")
    with pytest.raises(InputError, match="no such file"):
        require_file(tmp_path / "none", "a thing")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="got a file where a folder belongs"):
        require_folder(tmp_path / "file", "a folder")
    with pytest.raises(InputError, match="got a file where a folder belongs"):
        require_folder(tmp_path / "file" / "below", "a folder")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EIO, errno.EROFS])
@pytest.mark.parametrize("call", ["fsync", "open"])
def test_a_disk_that_fails_leaves_the_earlier_file_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, call: str
) -> None:
    path = tmp_path / "last.safetensors"
    write_tensors(path, "checkpoint", {}, {"w": np.ones(3)})
    before = path.read_bytes()

    def fail(*arguments: object, **options: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as broken:
        broken.setattr(*((os, "fsync", fail) if call == "fsync" else (Path, "write_bytes", fail)))
        with pytest.raises(InputError) as caught:
            write_tensors(path, "checkpoint", {}, {"w": np.zeros(3)})
    assert str(caught.value) == (
        f"{path}: cannot be written ({os.strerror(number)}); what was there before is as it was")
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_line_is_added_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "history.csv"
    append_text(path, "epoch\n")
    append_text(path, "1\n")

    def fail(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", fail)
        with pytest.raises(InputError, match="history.csv: cannot be written"):
            append_text(path, "2\n")
    assert path.read_text() == "epoch\n1\n"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write")
def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="cannot be written"):
        atomic_write_text(tmp_path / "file.txt", "text")


def test_a_file_takes_its_place_only_when_it_is_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def told_fsync(handle: int) -> None:
        events.append("file" if Path(f"/proc/self/fd/{handle}").is_file() else "folder")
        fsync(handle)

    def told_replace(self: Path, target: Path) -> Path:
        events.append("replace")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", told_fsync)
    monkeypatch.setattr(Path, "replace", told_replace)
    with atomic_path(tmp_path / "file.txt") as temporary:
        temporary.write_text("text")
    if Path("/proc/self/fd").is_dir():
        assert events == ["file", "replace", "folder"]
    assert events.index("replace") == 1
