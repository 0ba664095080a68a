"""The results of a run, read back: what is well formed comes through, all else is named."""

import json

import numpy as np
import pytest
from fabricated_run import FabricatedRun

from minicnn import InputError

ABSENT = object()


@pytest.fixture
def folder(tmp_path):
    return FabricatedRun(tmp_path / "run").folder


def changed(values, place, value):
    """`values` with another value at a dotted place, or without it."""
    *parents, key = (int(part) if part.isdigit() else part for part in place.split("."))
    inner = values
    for part in parents:
        inner = inner[part]
    if value is ABSENT:
        del inner[key]
    else:
        inner[key] = value
    return values


def test_results_come_back_as_they_were_written(folder):
    written = json.loads(folder.results.read_text())
    assert folder.read_results() == written
    folder.write_results(changed(written, "test.loss", None))
    assert folder.read_results()["test"]["loss"] is None


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_results_are_strict_json(folder, value):
    before = folder.results.read_bytes()
    with pytest.raises(ValueError, match="JSON"):
        folder.write_results({"seconds": value})
    assert folder.results.read_bytes() == before


@pytest.mark.parametrize(("place", "value", "complaint"), [
    ("test", ABSENT, "test: expected a value, got none"),
    ("best_epoch", ABSENT, "best_epoch: expected a value, got none"),
    ("measured_on", ABSENT, "measured_on: expected a value, got none"),
    ("measured_on", "train", "measured_on: expected 'test' or 'validation', got 'train'"),
    ("best_epoch", 2.5, "best_epoch: expected a valid integer, got 2.5"),
    ("parameters", True, "parameters: expected a valid integer, got True"),
    ("parameters", 10**30, "parameters: expected less than 9007199254740992, got 1000"),
    ("measured_on", "validation", "splits: expected those of validation, got {"),
    ("seconds", "long", "seconds: expected a valid number, got 'long'"),
    ("seconds", np.inf, "seconds: expected a finite number, got inf"),
    ("seconds", -1, "seconds: expected greater than or equal to 0, got -1"),
    ("stopped", None, "stopped: expected a valid string, got None"),
    ("data", "made up", "data: expected an object, got 'made up'"),
    ("data.test", ABSENT, "data.test: expected a value, got none"),
    ("data.train", 7, "data.train: expected a valid string, got 7"),
    ("test.loss", np.nan, "test.loss: expected a finite number, got nan"),
    ("test.accuracy", None, "test.accuracy: expected a valid number, got None"),
    ("test.accuracy", 41, "test.accuracy: expected less than or equal to 1, got 41"),
    ("test.per_class", {}, "test.per_class: expected at least one class, got {}"),
    ("test.per_class.happy", [], r"test.per_class.happy: expected an object, got \[\]"),
    ("test.per_class.happy.recall", ABSENT,
     "test.per_class.happy.recall: expected a value, got none"),
    ("test.per_class.happy.recall", "good",
     "test.per_class.happy.recall: expected a valid number, got 'good'"),
    ("test.confusion", [[1]], r"test.confusion: expected 7 rows of 7 counts, got \[\[1\]\]"),
    ("test.confusion.1", [1, 2], "test.confusion: expected 7 rows of 7 counts"),
    ("test.confusion.1.2", "x", "test.confusion.1.2: expected a valid integer, got 'x'"),
    ("test.confusion.1.2", -1, "test.confusion.1.2: expected greater than or equal to 0, got -1"),
])
def test_what_is_wrong_with_the_results_is_said(folder, place, value, complaint):
    results = changed(json.loads(folder.results.read_text()), place, value)
    folder.results.write_text(json.dumps(results))
    with pytest.raises(InputError, match=f"results.json: {complaint}") as caught:
        folder.read_results()
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300


@pytest.mark.parametrize("content", [
    b"", b"{", b"\xff\xfe[", b"[" * 100_000, b'{"a":' * 100_000, b"1" * 10_000,
])
def test_results_that_are_no_json(folder, content):
    folder.results.write_bytes(content)
    with pytest.raises(InputError, match="results.json: expected JSON, got a damaged file"):
        folder.read_results()


@pytest.mark.parametrize("content", [b"[]", b"3", b"null"])
def test_results_that_are_no_object(folder, content):
    folder.results.write_bytes(content)
    with pytest.raises(InputError, match="results.json: expected an object, got "):
        folder.read_results()
