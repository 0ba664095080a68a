"""benchmarks/bench.py: the measurement held against the aims of this project."""

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest

from minicnn import benchmarking
from minicnn.benchmarking import Results

SCRIPTS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def aims(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The aims, from the folder of the script that reads them."""
    monkeypatch.syspath_prepend(SCRIPTS)
    return importlib.import_module("aims")



def test_aims_name_the_worst_layer(aims: ModuleType, results: Results) -> None:
    held = {aim.what: aim for aim in aims.aims(results)}
    other = held["other layers, backward, 1 thread"]
    names = [row.layer for row in results.rows if row.stage == "backward"
             and row.program == "minicnn" and not row.layer.startswith("conv2d")]
    assert other.reached == max(results.ratio(1, name, "backward", 2) for name in names)
    assert results.ratio(1, other.where, "backward", 2) == other.reached
    assert held["start to first step, nothing compiled"].met
    assert "peak memory of training" not in held  # there is no PyTorch to compare with



def test_the_script_writes_the_aims_beside_what_was_measured(
    aims: ModuleType, results: Results, monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(benchmarking, "measure_library", lambda settings, tell: results)
    monkeypatch.setattr(sys, "argv", ["bench.py", "--against", "reference", "--out", str(tmp_path)])
    importlib.import_module("bench").main()
    assert "Against the aims" in capsys.readouterr().out
    page = (tmp_path / "bench.md").read_text(encoding="utf-8")
    assert page.split("## ")[-1].startswith("Against the aims\n\n|  | at most | reached |")


def test_without_another_program_there_are_no_aims(aims: ModuleType, results: Results) -> None:
    assert aims.sheets(benchmarking.Results(results.settings, "", {}, results.ceilings)) == []
