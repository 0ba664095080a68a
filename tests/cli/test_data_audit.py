"""`minicnn data audit`: a data set looked over."""

import json
from pathlib import Path

import pytest
from command_line import refused, status


def test_data_audit(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status("data", "audit", folder / "fer2013.csv", "--json") == 0
    findings = json.loads(capsys.readouterr().out)
    assert [leak["images"] for leak in findings["leakage"]] == [0, 3, 0]  # test has 3 of train
    assert status("data", "audit", folder / "fer2013.csv") == 0
    assert "disgust" in capsys.readouterr().out


def test_what_is_no_table_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "note.txt").write_text("no table")
    assert "note.txt" in refused(capsys, "data", "audit", tmp_path / "note.txt")
