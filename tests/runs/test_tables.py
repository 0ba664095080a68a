"""The tables of a run, read back: what is well formed comes through, all else is named."""

import dataclasses
import re

import numpy as np
import pandas as pd
import pytest
from fabricated_run import FabricatedRun

from minicnn import InputError
from minicnn.runs.tables import HISTORY, LAYERS, RUNNING_STATISTICS
from minicnn.training import Epoch


@pytest.fixture
def folder(tmp_path):
    return FabricatedRun(tmp_path / "run").folder


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
