"""Runs and data in folders with blanks, umlauts and emoji, from one working folder and another."""

import os
import shutil
from pathlib import Path

import pytest
from command_line import run
from PIL import Image

from minicnn.data import drawn_faces

REFERENCE = {"MINICNN_BACKEND": "reference"}


@pytest.mark.slow(seconds=15)
def test_from_training_to_comparison_with_two_working_folders(
    folder: Path, tmp_path: Path
) -> None:
    first = tmp_path / "Übung 😀 'eins' #1 100%"
    second = tmp_path / "anderswo & mehr"
    (first / "Daten ä").mkdir(parents=True)
    second.mkdir()
    shutil.copy(folder / "fer2013.csv", first / "Daten ä" / "fer 2013.csv")
    shutil.copy(folder / "tiny.toml", first / "ein Versuch.toml")
    face = drawn_faces.load(train=7, validation=7, test=7).test.images[0].squeeze()
    Image.fromarray(face).save(second / "Gesicht, fröhlich.png")

    def shown(*words: object, cwd: Path, status: int = 0) -> str:
        ended = run(*words, cwd=cwd, env={**os.environ, **REFERENCE})
        assert ended.returncode == status, ended.stderr
        return ended.stdout

    data = Path("Daten ä", "fer 2013.csv")
    for name in ("Läufe/ein Lauf", "Läufe/noch einer"):
        shown("train", "ein Versuch.toml", "--data", data, "--out", name, "--epochs", 1, cwd=first)
    back = Path("..", first.name)
    lauf = back / "Läufe" / "ein Lauf"
    text = shown("train", "--resume", lauf, "--epochs", 2, cwd=second)
    assert "best epoch" in text
    assert (first / "Läufe" / "ein Lauf" / "report.html").exists()
    assert "accuracy" in shown("evaluate", lauf, "--data", back / data, cwd=second)
    assert "happy" in shown("predict", lauf, "Gesicht, fröhlich.png", cwd=second)
    assert "total" in shown("summary", lauf, cwd=second)
    assert "duplicates" in shown("data", "audit", back / data, cwd=second)
    shown("compare", lauf, lauf.with_name("noch einer"), "--out", "Vergleich ß.html", cwd=second)
    page = (second / "Vergleich ß.html").read_text(encoding="utf-8")
    assert "ein Lauf" in page
    assert "noch einer" in page
