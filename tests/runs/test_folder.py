"""The files of a run, read back: what is well formed comes through, all else is named."""

import dataclasses
import json
import re

import numpy as np
import pandas as pd
import pytest
from fabricated_run import FabricatedRun

from minicnn import InputError
from minicnn.runs.tables import HISTORY, LAYERS, RUNNING_STATISTICS
from minicnn.training import Epoch

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


def test_the_columns_are_those_that_training_writes():
    assert tuple(field.name for field in dataclasses.fields(Epoch)) == HISTORY


TABLES = {"history": HISTORY, "batchnorm": RUNNING_STATISTICS, "layers": LAYERS}


def read(folder, name):
    return getattr(folder, f"read_{name}")()


@pytest.mark.parametrize("name", TABLES)
def test_tables_come_back_as_they_were_written(folder, name):
    table = read(folder, name)
    pd.testing.assert_frame_equal(table, pd.read_csv(getattr(folder, name)), check_dtype=False)
    assert table["epoch"].dtype == np.int64
    assert all(table[column].dtype == np.float64
               for column in TABLES[name] if column not in ("step", "epoch", "layer"))


@pytest.mark.parametrize(("name", "column"), [
    (name, column) for name, columns in TABLES.items() for column in columns
])
def test_a_missing_column_is_named(folder, name, column):
    path = getattr(folder, name)
    pd.read_csv(path).drop(columns=column).to_csv(path, index=False)
    with pytest.raises(InputError, match=rf"{name}\.csv: expected a column {column!r}, got "):
        read(folder, name)


@pytest.mark.parametrize(("name", "column"), [
    (name, column) for name, columns in TABLES.items() for column in columns if column != "layer"
])
@pytest.mark.parametrize("value", ["many", "True", "2026-01-01", "1+2j"])
def test_text_in_place_of_a_number_is_shown(folder, name, column, value):
    path = getattr(folder, name)
    table = pd.read_csv(path, dtype=str)
    table.loc[1, column] = value
    table.to_csv(path, index=False)
    complaint = rf"{name}\.csv: data row 2: {column}: expected a .*number, got "
    with pytest.raises(InputError, match=complaint + re.escape(repr(value))):
        read(folder, name)


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("value", ["", "nan", "inf", "1.5", "-1", "1e300"])
def test_an_epoch_is_a_whole_number(folder, name, value):
    path = getattr(folder, name)
    table = pd.read_csv(path, dtype=str)
    table.loc[0, "epoch"] = value
    table.to_csv(path, index=False)
    with pytest.raises(InputError, match=r"csv: data row 1: epoch: expected a whole number, got"):
        read(folder, name)


def test_a_history_needs_an_epoch(folder):
    folder.history.write_text(",".join(HISTORY) + "\n")
    with pytest.raises(InputError, match=r"history\.csv: expected a row an epoch, got none"):
        folder.read_history()


def test_without_batch_norm_there_are_no_statistics(folder):
    folder.batchnorm.write_text(",".join(RUNNING_STATISTICS) + "\n")
    assert folder.read_batchnorm().empty


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b'epoch\n"1', b"epoch\n1\n1,2\n"])
def test_tables_that_are_no_csv(folder, name, content):
    getattr(folder, name).write_bytes(content)
    complaint = rf"{name}\.csv: expected a run's .*, got a damaged file"
    with pytest.raises(InputError, match=complaint) as caught:
        read(folder, name)
    assert "\n" not in str(caught.value)


def test_a_layer_may_have_any_name(folder):
    text = folder.batchnorm.read_text().replace("batchnorm_1", "NA").replace("batchnorm_2", "12")
    folder.batchnorm.write_text(text)
    assert set(folder.read_batchnorm()["layer"]) == {"NA", "12"}
