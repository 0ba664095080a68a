"""`minicnn predict`: what a network takes pictures for."""

import json
from pathlib import Path

import numpy as np
import pytest
from command_line import TINY, refused, run
from PIL import Image

from minicnn import Sequential, layers, load


def test_predict_reads_pictures_of_any_size(folder):
    Image.new("RGB", (301, 207), (200, 90, 20)).save(folder / "wide.jpg")
    Image.fromarray(np.arange(48 * 48, dtype=np.uint16).reshape(48, 48)).save(folder / "deep.png")
    result = run("predict", "drawn", "wide.jpg", "deep.png", "--json", cwd=folder)
    assert result.returncode == 0, result.stderr
    answers = json.loads(result.stdout)
    assert [answer.pop("image") for answer in answers] == ["wide.jpg", "deep.png"]
    for answer in answers:
        assert list(answer) == [
            "angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"
        ]
        assert sum(answer.values()) == pytest.approx(1, abs=1e-5)
    table = run("predict", "drawn", "wide.jpg", cwd=folder).stdout
    assert "surprise" in table
    assert "%" in table


def test_weights_that_are_not_finite_are_refused(folder, capsys):
    model = load(folder / "drawn" / "model.safetensors")
    model.parameters()[-1].data[0] = np.nan
    model.save(folder / "nan.safetensors")
    Image.new("L", (48, 48)).save(folder / "black.png")
    message = refused(capsys, "predict", folder / "nan.safetensors", folder / "black.png")
    assert "finite" in message


def test_a_model_that_does_not_read_faces_is_refused(folder, capsys):
    Sequential([layers.Flatten(), layers.Dense(5)], (28, 28, 1)).save(folder / "other.safetensors")
    for command in ("predict", "evaluate"):
        picture = [folder / "note.png"] if command == "predict" else []
        message = refused(capsys, command, folder / "other.safetensors", *picture)
        assert "expected a network from (48, 48, 1) to (7,), got one from (28, 28, 1)" in message


@pytest.mark.parametrize(("arguments", "words"), [
    (["drawn", "note.txt"], ["note.txt"]),
    (["drawn", "none.png"], ["none.png"]),
    (["none.png", "note.txt"], ["none.png: expected a picture"]),
    (["paper-bm", "none.png"],
     ["paper-bm: expected a model (.safetensors), the folder of a run or one of best-single, "
      "paper-bn, but there is no such"]),
    (["pictures"], ["pictures: expected the folder of a run"]),
    (["begun", "none.png"],
     ["begun: expected a run with a model, but there is no model.safetensors",
      "(minicnn train --resume begun)"]),
    ([], ["IMAGE"]),
    (["drawn"], ["pictures for drawn"]),
    ([300 * "x", "note.txt"], [300 * "x", "name too long"]),
])
def test_mistakes_end_in_one_line(arguments, words, folder, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    Path("note.txt").write_text("no picture")
    Path("pictures").mkdir(exist_ok=True)
    Path("begun").mkdir(exist_ok=True)
    Path("begun/experiment.toml").write_text(TINY)
    message = refused(capsys, "predict", *arguments)
    for word in words:
        assert word in message
