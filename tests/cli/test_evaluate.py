"""`minicnn evaluate`: the figures of a trained model."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from command_line import refused, run, status

from minicnn.data import Views, fer2013
from minicnn.inference.classifier import Classifier


def test_evaluate_prints_what_training_measured(folder, capsys):
    results = json.loads((folder / "real" / "results.json").read_text())
    expected = {**results["test"], "unseen": results["splits"]["test"]["unseen"]}
    data = folder / "fer2013.csv"
    assert status("evaluate", folder / "real", "--data", data, "--json") == 0
    assert json.loads(capsys.readouterr().out) == expected


def test_a_single_view_is_the_picture_alone(folder):
    reader = Classifier.load(folder / "real")
    test = fer2013.load(folder / "fer2013.csv").test
    given = ["--data", "fer2013.csv", "--json"]
    several = json.loads(run("evaluate", "real", *given, cwd=folder).stdout)
    single = json.loads(run("evaluate", "real", "--single-view", *given, cwd=folder).stdout)
    assert several["loss"] == pytest.approx(reader.evaluate(test).loss, rel=1e-5)
    alone = replace(reader, views=Views())
    assert single["loss"] == pytest.approx(alone.evaluate(test).loss, rel=1e-5) != several["loss"]


def test_no_image_without_a_copy_has_no_accuracy(folder):
    lines = (folder / "fer2013.csv").read_text().splitlines(keepends=True)
    training = [line for line in lines if "Training" in line]
    validation = [line for line in lines if "PublicTest" in line]
    copies = [line.replace("Training", "PrivateTest") for line in training[:5]]
    (folder / "copies.csv").write_text("".join([lines[0], *training, *validation, *copies]))
    result = run("evaluate", "real", "--data", "copies.csv", cwd=folder)
    assert "accuracy on the 0 images without a copy in training: –" in result.stdout
    figures = json.loads(run("evaluate", "real", "--data", "copies.csv", "--json",
                             cwd=folder).stdout)
    assert figures["unseen"] == {"images": 0, "accuracy": None}


def test_evaluate_without_data_measures_a_drawn_run_on_its_own_faces(folder):
    expected = json.loads((folder / "drawn" / "results.json").read_text())["test"]["accuracy"]
    result = run("evaluate", "drawn/model.safetensors", cwd=folder)
    assert result.returncode == 0, result.stderr
    assert f"{expected:.2%}" in result.stdout


def test_evaluate_without_data_asks_for_it_by_the_name_that_was_given(capsys):
    assert refused(capsys, "evaluate", "paper-bn").startswith("minicnn: paper-bn: give --data PATH")


@pytest.mark.parametrize(("options", "words"), [
    (["drawn", "--threads", 99999], ["--threads: expected", "got 99999"]),
    (["drawn", "--split", "exam"], ["--split", "exam"]),
    (["drawn", "--limit", -1], ["--limit: expected 0 or more, got -1"]),
    (["none.safetensors"], ["none.safetensors"]),
    (["no-model.txt"], ["no-model.txt"]),
    (["paper-plain"], ["paper-plain: expected a model", "paper-bn"]),
])
def test_mistakes_end_in_one_line(options, words, folder, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    Path("no-model.txt").write_text("no model")
    message = refused(capsys, "evaluate", *options)
    for word in words:
        assert word in message
