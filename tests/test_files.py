"""Writing whole files or nothing."""

import stat

import pytest

from minicnn import InputError
from minicnn.files import atomic_path, atomic_write_text, require_file, require_folder


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
