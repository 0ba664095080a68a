"""Files of arrays and a header: what is written comes back, and what is broken says so."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from minicnn import InputError
from minicnn.files.tensors import HEADER_KEY, MOST_HEADER, read_tensors, write_tensors

HEADER = {"version": 1, "names": ["a", "ü"], "nested": {"x": None, "y": 0.1}}
TENSORS = {
    "w": np.random.default_rng(0).standard_normal((3, 4, 5)),
    "b": np.arange(3, dtype=np.float32),
    "steps": np.array(7),
    "transposed": np.arange(6.0).reshape(2, 3).T,
    "negative": np.arange(5)[::-1],
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file as `write_tensors` writes it."""
    path = tmp_path / "model.safetensors"
    write_tensors(path, "model", HEADER, TENSORS)
    return path


def test_round_trip(path: Path) -> None:
    header, tensors = read_tensors(path, "model")
    assert header == {"kind": "model", **HEADER}
    assert set(tensors) == set(TENSORS)
    for name, array in TENSORS.items():
        assert tensors[name].dtype == array.dtype
        np.testing.assert_array_equal(tensors[name], array)


def test_other_tools_read_it(path: Path) -> None:
    for name, array in load_file(path).items():
        np.testing.assert_array_equal(array, TENSORS[name])


def test_equal_contents_give_equal_bytes(path: Path) -> None:
    again = path.with_name("again")
    write_tensors(again, "model", dict(reversed(HEADER.items())), TENSORS)
    assert again.read_bytes() == path.read_bytes()


def test_nothing_is_left_beside_it(path: Path) -> None:
    assert list(path.parent.iterdir()) == [path]


def test_a_failed_write_keeps_the_old_file(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(TypeError):
        write_tensors(path, "model", {"not": {1, 2}}, TENSORS)
    with pytest.raises(TypeError, match="w: expected real numbers, got type object"):
        write_tensors(path, "model", HEADER, {"w": np.array([object()])})
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_another_kind_is_refused(path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_tensors(path, "checkpoint")
    assert str(caught.value) == f"{path}: expected a minicnn checkpoint, got model"


BROKEN: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "a few bytes": lambda path: path.write_bytes(b"PK\x03\x04"),
    "text": lambda path: path.write_text("pixels,emotion\n" * 100),
    "cut in the header": lambda path: path.write_bytes(path.read_bytes()[:40]),
    "cut in the arrays": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "too long": lambda path: path.write_bytes(path.read_bytes() + b"\0"),
    "missing": lambda path: path.unlink(),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
    "foreign": lambda path: save_file({"w": np.ones(3)}, path),
    "foreign with a header": lambda path: save_file({"w": np.ones(3)}, path, {"format": "pt"}),
    "header of no JSON": lambda path: save_file({"w": np.ones(3)}, path, {HEADER_KEY: "{"}),
    "header of a list": lambda path: save_file({"w": np.ones(3)}, path, {HEADER_KEY: "[1]"}),
    "header of nothing": lambda path: save_file({"w": np.ones(3)}, path, {HEADER_KEY: "null"}),
}


@pytest.mark.parametrize("spoil", BROKEN.values(), ids=BROKEN)
def test_what_is_no_such_file(path: Path, spoil: Callable[[Path], object]) -> None:
    spoil(path)
    with pytest.raises(InputError) as caught:
        read_tensors(path, "model")
    message = str(caught.value)
    assert message.startswith(f"{path}: expected a minicnn model")
    assert "\n" not in message


def test_nothing_is_written_that_could_not_be_read(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(InputError, match="cannot have a header of more than 16,777,216 bytes, got"):
        write_tensors(path, "model", {"text": "x" * MOST_HEADER}, TENSORS)
    deep: list = []
    for _ in range(25):
        deep = [deep]
    with pytest.raises(InputError, match="cannot have a header of tables and lists more than 20"):
        write_tensors(path, "model", {"deep": deep}, TENSORS)
    with pytest.raises(TypeError, match="w: expected real numbers, got type complex128"):
        write_tensors(path, "model", HEADER, {"w": TENSORS["w"] + 1j})
    assert path.read_bytes() == before


@pytest.mark.parametrize("mask", [0x01, 0x10, 0x80])
def test_every_flipped_byte_is_noticed(path: Path, mask: int) -> None:
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ mask]) + whole[place + 1 :])
        with pytest.raises(InputError, match="model.safetensors: expected a minicnn model, got"):
            read_tensors(path, "model")
