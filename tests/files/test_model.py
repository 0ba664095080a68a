"""The file of a model: what comes back, and what is refused."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from refusals import assert_refused

from minicnn import InputError
from minicnn.files.model import FORMAT_VERSION, STORAGE, read_model, write_model
from minicnn.files.tensors import read_tensors, write_tensors

ARCHITECTURE = {"layers": [{"type": "of no kind"}], "seed": 1}
ARRAYS = {"w": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.array([0.1, -7.0])}
METADATA = {"classes": ["angry", "überrascht"], "mean": 0.1}


@pytest.mark.parametrize("storage", STORAGE)
def test_round_trip(tmp_path: Path, storage: str) -> None:
    path = tmp_path / "model.safetensors"
    write_model(path, ARCHITECTURE, ARRAYS, METADATA, storage)
    stored = read_model(str(path))
    assert (stored.architecture, stored.metadata) == (ARCHITECTURE, METADATA)
    assert stored.size == 8
    assert stored.arrays.keys() == ARRAYS.keys()
    for name, array in stored.arrays.items():
        assert array.dtype == storage
        np.testing.assert_array_equal(array, ARRAYS[name].astype(storage))


def test_what_stands_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    write_model(path, ARCHITECTURE, ARRAYS, METADATA, "float32")
    header, _ = read_tensors(path, "model")
    assert header == {"kind": "model", "version": 1, "architecture": ARCHITECTURE,
                      "metadata": METADATA}


def test_what_is_missing_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    write_tensors(path, "model", {"version": FORMAT_VERSION}, {})
    stored = read_model(path)
    assert (stored.architecture, stored.metadata, stored.arrays, stored.size) == ({}, {}, {}, 0)


@pytest.mark.parametrize(("kind", "header", "message"), [
    ("model", {"version": 2}, "expected model format 1, got 2"),
    ("model", {}, "expected model format 1, got None"),
    ("model", {"version": 1, "metadata": [1]}, "metadata: expected a table, got [1]"),
    ("checkpoint", {"version": 1}, "expected a minicnn model, got checkpoint"),
])
def test_files_that_are_refused(tmp_path: Path, kind: str, header: dict, message: str) -> None:
    path = tmp_path / "model.safetensors"
    write_tensors(path, kind, header, ARRAYS)
    assert_refused(lambda: read_model(path), InputError, f"{path}: {message}")


@pytest.mark.parametrize(("arrays", "storage", "message"), [
    (ARRAYS, "int8", "save: storage must be float16, float32 or float64, got 'int8'"),
    ({"w": np.array([1.0, 1e5])}, "float16", "save: w holds numbers beyond the range of float16"),
    ({"w": np.array([1e39])}, "float32", "save: w holds numbers beyond the range of float32"),
])
def test_what_is_not_written(tmp_path: Path, arrays: dict, storage: str, message: str) -> None:
    path = tmp_path / "model.safetensors"
    assert_refused(lambda: write_model(path, {}, arrays, {}, storage), ValueError, message)
    assert not path.exists()


@pytest.mark.parametrize("spoil", [
    lambda arrays: {"w": arrays["w"] * np.nan}, lambda arrays: {"w": arrays["w"] + np.inf},
])
def test_numbers_that_are_not_finite_already_are_written(tmp_path: Path, spoil: Callable) -> None:
    path = tmp_path / "model.safetensors"
    write_model(path, {}, spoil(ARRAYS), {}, "float16")
    assert not np.isfinite(read_model(path).arrays["w"]).any()
