"""A run read back: what its experiment says, however odd, and which files are refused."""

import json

import pandas as pd
import pytest
from fabricated_run import SETTINGS, FabricatedRun

from minicnn import InputError, viewing
from minicnn.files.nesting import MOST_NESTED
from minicnn.viewing.run_record import read_run, read_settings


@pytest.fixture
def run(tmp_path):
    return FabricatedRun(tmp_path / "run")


@pytest.mark.parametrize(("optimizer", "rate"), [
    ({"name": "adam", "lr": 0.5}, 0.5), ({"name": "adam"}, "–"), ("adam", "–"),
])
def test_learning_rate(tmp_path, optimizer, rate):
    run = FabricatedRun(tmp_path / "run", settings={**SETTINGS, "optimizer": optimizer})
    assert read_run(run.folder).learning_rate == rate


def test_speed_and_best_validation(run):
    record = read_run(run.folder)
    assert record.images_per_second == 250
    assert record.best_validation_accuracy == pytest.approx(1 - 0.85 / 3)


@pytest.mark.parametrize("content", [
    "a = " + "[" * 2000 + "]" * 2000, "a = " + "{a = " * 2000 + "1" + "}" * 2000,
    ".".join("a" * 150) + " = 1", "[" + ".".join("a" * 150) + "]\nb = 1",
    "a = " + "[" * MOST_NESTED + "]" * MOST_NESTED,
])
def test_settings_nested_too_deeply_are_refused(run, content):
    run.folder.experiment.write_text(content)
    with pytest.raises(InputError, match=f"experiment.toml: expected .* {MOST_NESTED} deep, got"):
        read_settings(run.folder.experiment)


def test_settings_may_be_nested(run):
    deep = MOST_NESTED - 1
    run.folder.experiment.write_text("a = " + "[" * deep + "]" * deep)
    assert len(read_settings(run.folder.experiment)["a"]) == 1


@pytest.mark.parametrize("content", ["[", "a = 1\na = 2", "a = " + "9" * 5000, "a = 2026-13-01"])
def test_settings_that_are_no_toml(run, content):
    run.folder.experiment.write_text(content)
    with pytest.raises(InputError, match="experiment.toml: expected TOML, got something else"):
        read_settings(run.folder.experiment)


def without_accuracy(folder):
    results = json.loads(folder.results.read_text())
    del results["test"]["accuracy"]
    folder.results.write_text(json.dumps(results))


def text_for_a_loss(folder):
    folder.history.write_text(folder.history.read_text().replace("2.0", "two", 1))


def without_variance(folder):
    pd.read_csv(folder.batchnorm).drop(columns="variance").to_csv(folder.batchnorm, index=False)


@pytest.mark.parametrize("damage", [without_accuracy, text_for_a_loss])
def test_a_page_of_damaged_files_is_refused(run, tmp_path, damage):
    damage(run.folder)
    with pytest.raises(InputError, match="expected"):
        viewing.comparison_table([run.folder])
    with pytest.raises(InputError, match="expected"):
        viewing.write_comparison([run.folder, run.folder], tmp_path / "compare.html")
    with pytest.raises(InputError, match="expected"):
        viewing.write_report(*run.parts())


def test_a_report_of_damaged_statistics_is_refused(run):
    without_variance(run.folder)
    with pytest.raises(InputError, match=r"batchnorm\.csv: expected a column 'variance', got"):
        viewing.write_report(*run.parts())
