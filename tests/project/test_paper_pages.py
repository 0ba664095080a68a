"""docs/paper.md and docs/experiments.md say what the kept runs say, and runs are kept whole."""

import importlib
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from fabricated_run import FabricatedRun

from minicnn.training import read_experiment

FER2013 = Path(__file__).parents[2] / "benchmarks" / "fer2013"


@pytest.fixture(autouse=True)
def scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The scripts' folder, where Python looks for them, as long as a test lasts."""
    monkeypatch.syspath_prepend(FER2013)
    for script in FER2013.glob("*.py"):
        monkeypatch.setitem(sys.modules, script.stem, None)
        monkeypatch.delitem(sys.modules, script.stem)


def test_the_pages_hold_the_tables_of_the_kept_runs() -> None:
    report = importlib.import_module("report")
    runs = report.read_kept()
    for page in report.PAGES:
        text = page.read_text(encoding="utf-8")
        assert text.count("<!-- table: ") > 0
        assert report.filled(text, runs) == text


def test_spreads_by_hand() -> None:
    tables = importlib.import_module("tables")
    assert tables.spread([0.25, 0.5, 0.75]) == "50.0 ± 25.0"  # deviation of a sample
    assert tables.spread([0.25]) == "25.0"
    assert tables.spread([0.25, np.nan]) == "–"
    # seed by seed 0.1, 0.2 and 0.3: deviation 10 points, standard error 10 / √3
    these, those = {"0": 0.5, "1": 0.7, "2": 0.6}, {"2": 0.3, "0": 0.4, "1": 0.5, "3": 0.9}
    assert tables.difference(these, those) == "+20.0 ± 5.8"
    assert tables.difference({"0": 0.5}, those) == "–"


def test_the_gain_by_copies_by_hand() -> None:
    """Ten images; the copies are two of class 0, both right, and one of class 1, wrong."""
    labels = np.array([0, 0, 1, 0, 0, 1, 1, 1, 1, 2])
    right = np.array([1, 1, 0, 1, 0, 1, 0, 0, 0, 1], bool)
    copies = np.arange(10) < 3
    # the others of class 0 are right in 1 of 2, of class 1 in 1 of 4; weighted 2 to 1: 5/12
    # the gain: 3/10 of (2/3 - 5/12)
    gain = importlib.import_module("memory").gain
    assert gain(right, labels, copies) == ("66.7%", "42.9%", "41.7%", "7.5")


def test_a_run_is_kept_whole_and_without_the_place_of_its_data(tmp_path: Path) -> None:
    train = importlib.import_module("train")
    run = FabricatedRun(tmp_path / "run")
    data = tmp_path / "somewhere" / "fer2013.csv"
    experiment = read_experiment("paper-bn").changed(data={"path": str(data)})
    run.folder.experiment.write_text(experiment.to_toml(), encoding="utf-8")
    kept = tmp_path / "kept" / "paper-bn-seed0"
    for _ in range(2):
        train._keep(run.folder.path, kept, data)
        assert {file.name for file in kept.iterdir()} == {*train.FILES, "experiment.toml"}
    text = (kept / "experiment.toml").read_text(encoding="utf-8")
    assert tomllib.loads(text)["data"]["path"] == "fer2013.csv"
    assert str(tmp_path) not in text
    for name in train.FILES:
        assert (kept / name).read_bytes() == (run.folder.path / name).read_bytes()
    run.folder.results.unlink()
    with pytest.raises(FileNotFoundError):
        train._keep(run.folder.path, kept, data)
    assert (kept / "results.json").exists()
    assert [folder.name for folder in kept.parent.iterdir()] == [kept.name]
