"""`minicnn predict` of a table of pictures, and what the other commands say of such a table."""

import csv
import io
import json

import numpy as np
import pytest
from command_line import refused, run

from minicnn.data import fer2013
from minicnn.inference.classifier import Classifier


@pytest.fixture(scope="module")
def tables(folder):
    """Kaggle's test.csv and train.csv, out of the table of the folder."""
    with (folder / "fer2013.csv").open(newline="") as stream:
        _, *rows = csv.reader(stream)
    for name, columns in (("test.csv", [1]), ("train.csv", [0, 1])):
        with (folder / name).open("w", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow([("emotion", "pixels")[column] for column in columns])
            writer.writerows([row[column] for column in columns] for row in rows)
    return folder


def test_every_row_is_answered(tables):
    result = run("predict", "drawn", "test.csv", cwd=tables)
    assert result.returncode == 0, result.stderr
    header, *rows = csv.reader(io.StringIO(result.stdout))
    classifier = Classifier.load(tables / "drawn")
    assert header == ["row", "emotion", *classifier.classes]
    images, _ = fer2013.load_unlabelled(tables / "test.csv")
    expected = classifier.probabilities(images)
    assert [int(row[0]) for row in rows] == list(range(1, len(images) + 1))
    np.testing.assert_allclose(
        np.array([row[2:] for row in rows], float), expected, rtol=0, atol=2e-4
    )
    for row in rows:
        assert row[1] == header[2 + int(np.argmax(np.array(row[2:], float)))]


def test_answers_in_a_file_and_as_json(tables):
    result = run("predict", "drawn", "test.csv", "--out", "answers.csv", cwd=tables)
    assert (result.returncode, result.stdout) == (0, "")
    assert "98 rows in answers.csv" in result.stderr
    assert len((tables / "answers.csv").read_text().splitlines()) == 99
    answers = json.loads(run("predict", "drawn", "test.csv", "--json", cwd=tables).stdout)
    assert [answer["row"] for answer in answers] == list(range(1, 99))


def test_labels_are_said_not_to_be_looked_at(tables):
    result = run("predict", "drawn", "train.csv", cwd=tables)
    assert "train.csv has labels too, which were not looked at" in result.stderr
    assert len(result.stdout.splitlines()) == 99


@pytest.mark.parametrize(("arguments", "words"), [
    (["test.csv", "face.png"], "expected a table of pictures alone"),
    (["test.csv", "--save", "a.png"], "--save: not of a table: give --out FILE"),
    (["face.png", "--out", "a.csv"], "--out: not of pictures"),
    (["test.csv", "--out", "test.csv"], "--out: expected another file than the table itself"),
    (["test.csv", "--out", "nowhere/a.csv"], "--out: nowhere/a.csv: its folder does not exist"),
    (["test.csv", "--out", "."], "--out: expected a file to write, got a folder"),
    (["notes.ipynb"], "notes.ipynb: expected a picture, got a notebook: save the picture"),
    (["none.csv"], "none.csv: expected a table of pictures, but there is no such file"),
])
def test_mistakes(tables, arguments, words, capsys, monkeypatch):
    monkeypatch.chdir(tables)
    (tables / "notes.ipynb").write_text(json.dumps({"cells": [], "nbformat": 4}))
    assert words in refused(capsys, "predict", "drawn", *arguments)


def test_a_table_without_labels_is_not_trained_or_measured_on(tables, capsys, monkeypatch):
    monkeypatch.chdir(tables)
    for command in (["train", "tiny.toml"], ["evaluate", "drawn"]):
        message = refused(capsys, *command, "--data", "test.csv")
        assert "pictures without labels, which a trained network can answer for" in message


def test_a_table_without_test_rows(tables, capsys, monkeypatch):
    result = run("train", "tiny.toml", "--data", "train.csv", "--out", "kaggle", "--epochs", 1,
                 cwd=tables)
    assert result.returncode == 0, result.stderr
    assert "no column Usage: all of its 98 rows were taken for training" in result.stdout
    notes = json.loads((tables / "kaggle" / "results.json").read_text())["data"]["notes"]
    assert "no column Usage" in notes[0]
    assert "seed 1" in notes[1]
    fingerprints = [json.loads((tables / "kaggle" / "results.json").read_text())["data"]]
    resumed = run("train", "--resume", "kaggle", "--epochs", 2, cwd=tables)
    assert resumed.returncode == 0, resumed.stderr
    fingerprints.append(json.loads((tables / "kaggle" / "results.json").read_text())["data"])
    assert fingerprints[0] == fingerprints[1]  # the split was drawn again, and is the same
    monkeypatch.chdir(tables)
    assert "--split: train.csv has no test images: give --split train or --split validation" in (
        refused(capsys, "evaluate", "kaggle"))
    measured = run("evaluate", "kaggle", "--split", "validation", "--json", cwd=tables)
    results = json.loads((tables / "kaggle" / "results.json").read_text())
    assert json.loads(measured.stdout)["accuracy"] == results["splits"]["validation"]["accuracy"]
    assert "minicnn: The table has no column Usage" in measured.stderr
