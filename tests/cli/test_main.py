"""The command line, through its real entry point."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from minicnn import Sequential, layers, load
from minicnn.cli import main
from minicnn.data import Views, drawn_faces, fer2013
from minicnn.inference.classifier import Classifier
from minicnn.runs.tables import HISTORY

MINICNN = Path(sys.executable).with_name("minicnn")

TINY = """
name = "tiny"
seed = 1
[data]
train = 70
validation = 14
test = 14
[model]
layers = [
    {type = "Conv2D", filters = 4, stride = 2}, {type = "BatchNorm"}, {type = "ReLU"},
    {type = "MaxPool2D", size = 4}, {type = "Flatten"}, {type = "Dropout", rate = 0.2},
    {type = "Dense", units = 7},
]
[augmentation]
flip = true
shift = 0.05
[views]
mirror = true
[training]
stop_at_train_accuracy = 0.99
epochs = 3
batch_size = 32
"""


def run(*arguments, cwd, **settings):
    """A real process; its output is no terminal."""
    return subprocess.run(
        [MINICNN, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, timeout=300,
        **settings,
    )


def refused(capsys, *arguments):
    """The one line that a mistake ends with."""
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    assert ended.value.code == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("minicnn: ")
    return lines[0]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with an experiment, a small FER2013 table and a finished run of each."""
    folder = tmp_path_factory.mktemp("cli")
    (folder / "tiny.toml").write_text(TINY)
    faces = drawn_faces.load(train=70, validation=14, test=14)
    faces.test.images[:3] = faces.train.images[:3]  # FER2013 has such copies too
    with (folder / "fer2013.csv").open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["emotion", "pixels", "Usage"])
        for usage, split in zip(
            ("Training", "PublicTest", "PrivateTest"), (s for _, s in faces.splits()), strict=True
        ):
            for image, label in zip(split.images, split.labels, strict=True):
                table.writerow([label, " ".join(map(str, image.reshape(-1))), usage])
    for name, options in (("drawn", []), ("real", ["--data", "fer2013.csv", "--epochs", 1])):
        result = run("train", "tiny.toml", "--out", name, *options, cwd=folder)
        assert result.returncode == 0, result.stderr
        assert str(Path(name) / "report.html") in result.stdout
    return folder


def test_a_run_leaves_its_files(folder):
    for name in ("drawn", "real"):
        found = {path.name for path in (folder / name).iterdir() if path.name != ".lock"}
        assert found == {
            "experiment.toml", "history.csv", "batchnorm.csv", "layers.csv", "model.safetensors",
            "last.safetensors", "previous.safetensors", "results.json", "report.html", "pictures",
        }
    history = (folder / "drawn" / "history.csv").read_text().splitlines()
    assert len(history) == 4
    results = json.loads((folder / "drawn" / "results.json").read_text())
    assert results["parameters"] == 4 * 9 + 4 + 8 + 144 * 7 + 7
    assert results["test"]["images"] == 14


def test_results_give_every_accuracy_twice(folder):
    results = json.loads((folder / "real" / "results.json").read_text())
    dataset = fer2013.load(folder / "fer2013.csv")
    training = {image.tobytes() for image in dataset.train.images}
    assert results["splits"]["test"]["accuracy"] == results["test"]["accuracy"]
    for name in ("validation", "test"):
        part, found = getattr(dataset, name), results["splits"][name]
        unseen = [image.tobytes() not in training for image in part.images]
        assert found["images"] == len(part)
        assert found["unseen"]["images"] == sum(unseen)
    assert results["splits"]["test"]["unseen"]["images"] == 11


def test_evaluate_prints_what_training_measured(folder, capsys):
    results = json.loads((folder / "real" / "results.json").read_text())
    expected = {**results["test"], "unseen": results["splits"]["test"]["unseen"]}
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", str(folder / "real"), "--data", str(folder / "fer2013.csv"), "--json"])
    assert not ended.value.code
    assert json.loads(capsys.readouterr().out) == expected


def test_the_settings_of_a_run_reach_its_model_and_its_folder(folder):
    text = (folder / "real" / "experiment.toml").read_text()
    assert "[views]\nmirror = true\nshift = 0\n" in text
    assert "stop_at_train_accuracy = 0.99\n" in text
    assert load(folder / "real" / "model.safetensors").metadata["views"] == {
        "mirror": True, "shift": 0}


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


def test_names_with_brackets_are_shown_as_they_are(folder):
    result = run("train", "tiny.toml", "--epochs", 1, "--out", "[old]/[new]", cwd=folder)
    assert result.returncode == 0, result.stderr
    assert "[old]/[new]/report.html" in result.stdout
    assert "[new]: test split" in " ".join(result.stdout.split())


def test_compare_writes_a_page(folder):
    result = run("compare", "drawn", "drawn", cwd=folder)
    assert result.returncode == 0, result.stderr
    assert (folder / "compare.html").stat().st_size > 10_000
    other = run("compare", "drawn", "real", "--out", "other.html", cwd=folder)
    assert other.returncode == 1
    assert "different test images" in other.stderr


def test_summary_of_models_and_experiments(folder, capsys):
    for what in (folder / "drawn", folder / "drawn" / "model.safetensors", folder / "tiny.toml",
                 "paper-bn"):
        with pytest.raises(SystemExit) as ended:
            main(["summary", str(what)])
        assert not ended.value.code
    assert "3,507,911" in capsys.readouterr().out


def test_data_audit(folder, capsys):
    with pytest.raises(SystemExit):
        main(["data", "audit", str(folder / "fer2013.csv"), "--json"])
    findings = json.loads(capsys.readouterr().out)
    assert findings
    with pytest.raises(SystemExit):
        main(["data", "audit", str(folder / "fer2013.csv")])
    assert "disgust" in capsys.readouterr().out


def test_an_interrupted_run_says_how_to_go_on_and_ends_on_the_same_bits(folder):
    process = subprocess.Popen(
        [MINICNN, "train", "tiny.toml", "--out", "broken", "--epochs", "400"], cwd=folder,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )
    while process.poll() is None and not (folder / "broken" / "last.safetensors").exists():
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert "minicnn train --resume broken" in out
    done = len((folder / "broken" / "history.csv").read_text().splitlines()) - 1
    more = str(done + 2)

    # the interrupted run asked for 400 epochs; take its place in a run that asks for a few more
    text = (folder / "broken" / "experiment.toml").read_text()
    (folder / "broken" / "experiment.toml").write_text(text.replace("400", str(done + 1)))
    resumed = run("train", "--resume", "broken", "--epochs", more, cwd=folder)
    assert resumed.returncode == 0, resumed.stderr
    whole = run("train", "tiny.toml", "--out", "whole", "--epochs", more, cwd=folder)
    assert whole.returncode == 0, whole.stderr
    one, other = (load(folder / name / "model.safetensors") for name in ("broken", "whole"))
    for name, array in one.state_dict().items():
        np.testing.assert_array_equal(array, other.state_dict()[name], err_msg=name)
    columns = slice(0, HISTORY.index("seconds"))
    histories = [
        [line.split(",")[columns] for line in (folder / name / "history.csv").open()]
        for name in ("broken", "whole")
    ]
    assert histories[0] == histories[1]


def test_the_version(folder):
    result = run("--version", cwd=folder)
    assert result.returncode == 0
    assert result.stdout.startswith("minicnn 0.")


def test_the_package_is_found_beside_a_clone_of_its_name(tmp_path):
    (tmp_path / "minicnn").mkdir()  # Python sees a namespace package in such a folder
    result = subprocess.run(
        [sys.executable, "-m", "minicnn", "--version"], cwd=tmp_path, capture_output=True, text=True
    )
    assert result.stdout.startswith("minicnn 0."), result.stderr


def test_weights_that_are_not_finite_are_refused(folder, capsys):
    model = load(folder / "drawn" / "model.safetensors")
    model.parameters()[-1].data[0] = np.nan
    model.save(folder / "nan.safetensors")
    Image.new("L", (48, 48)).save(folder / "black.png")
    message = refused(capsys, "predict", folder / "nan.safetensors", folder / "black.png")
    assert "finite" in message


def test_every_command_has_an_example(capsys):
    for command in (["train"], ["evaluate"], ["predict"], ["compare"], ["summary"],
                    ["data", "audit"]):
        with pytest.raises(SystemExit) as ended:
            main([*command, "--help"])
        assert not ended.value.code
        assert "Example" in capsys.readouterr().out


def test_a_model_that_does_not_read_faces_is_refused(folder, capsys):
    Sequential([layers.Flatten(), layers.Dense(5)], (28, 28, 1)).save(folder / "other.safetensors")
    for command in ("predict", "evaluate"):
        picture = [folder / "note.png"] if command == "predict" else []
        message = refused(capsys, command, folder / "other.safetensors", *picture)
        assert "expected a network from (48, 48, 1) to (7,), got one from (28, 28, 1)" in message


def test_mistakes_on_the_command_line_end_in_one_line(folder, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    Path("note.txt").write_text("no picture")
    Path("pictures").mkdir()
    Path("begun").mkdir()
    Path("begun/experiment.toml").write_text(TINY)
    for arguments, words in [
        (["train", "--epochs", 0], ["--epochs: training.epochs: expected at least 1, got 0"]),
        (["train", "--lr", -1, "--out", "x1"],
         ["--lr: optimizer: Adam: lr must lie in (0, inf), got -1"]),
        (["train", "--backend", "gpu"], ["backend", "cpu, reference", "gpu"]),
        (["train", "--threads", 0, "--out", "x4"], ["--threads: expected", "from 1 to", "got 0"]),
        (["evaluate", "drawn", "--threads", 99999], ["--threads: expected", "got 99999"]),
        (["train", "no-such"], ["no-such", "drawn-faces"]),
        (["train", "paper-bn"], ["paper-bn", "--data"]),
        (["train", "tiny.toml", "--out", "note.txt"], ["note.txt", "file"]),
        (["train", "tiny.toml", "--out", "drawn"], ["drawn", "--resume"]),
        (["train", "tiny.toml", "--data", "none.csv", "--out", "x2"], ["none.csv"]),
        (["train", "--resume", "none"], ["none", "experiment.toml"]),
        (["train", "--resume", "drawn", "--lr", 0.5], ["optimizer.lr", "0.5"]),
        (["train", "--resume", "drawn", "--data", "fer2013.csv"], ['the run has data.path = ""']),
        (["train", "--resume", "drawn", "--epochs", 2],
         ["--epochs: expected at least 3, the epochs that are done, got 2"]),
        (["train", "tiny.toml", "--out", ".", "--epochs", 1], ["expected an empty folder"]),
        (["train", "tiny.toml", "--out", ""], ["--out", "empty path"]),
        (["train", "tiny.toml", "--resume", "drawn"], ["EXPERIMENT"]),
        (["train", "--resume", "real", "--data", "real/history.csv"], ["emotion"]),
        (["evaluate", "none.safetensors"], ["none.safetensors"]),
        (["evaluate", "note.txt"], ["note.txt"]),
        (["evaluate", "drawn", "--split", "exam"], ["--split", "exam"]),
        (["predict", "drawn", "note.txt"], ["note.txt"]),
        (["predict", "drawn", "none.png"], ["none.png"]),
        (["predict", "none.png", "note.txt"], ["none.png: expected a picture"]),
        (["predict", "paper-bm", "none.png"],
         ["paper-bm: expected a model (.safetensors), the folder of a run or one of best-single, "
          "paper-bn, but there is no such"]),
        (["evaluate", "paper-plain"], ["paper-plain: expected a model", "paper-bn"]),
        (["predict", "pictures"], ["pictures: expected the folder of a run"]),
        (["predict", "begun", "none.png"],
         ["begun: expected a run with a model, but there is no model.safetensors", "--resume"]),
        (["summary", "pictures"], ["pictures: expected the folder of a run"]),
        (["predict"], ["IMAGE"]),
        (["predict", "drawn"], ["pictures for drawn"]),
        (["predict", 300 * "x", "note.txt"], [300 * "x", "name too long"]),
        (["train", 300 * "x"], [300 * "x", "name too long"]),
        (["train", "tiny.toml", "--out", 300 * "x"], [300 * "x", "name too long"]),
        (["train", "--resume", 300 * "x"], [300 * "x", "name too long"]),
        (["compare", "drawn"], ["two runs"]),
        (["compare", "drawn", "none"], ["none"]),
        (["summary", "none.toml"], ["none.toml"]),
        (["data", "audit", "note.txt"], ["note.txt"]),
        (["trian"], ["trian"]),
        (["train", "--frobnicate"], ["--frobnicate"]),
    ]:
        message = refused(capsys, *arguments)
        for word in words:
            assert word in message, (arguments, message)
    assert not Path("x1").exists()
    assert not Path("x2").exists()


def test_resuming_with_other_data_is_refused(folder, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    lines = Path("fer2013.csv").read_text().splitlines(keepends=True)
    Path("other.csv").write_text("".join([lines[0], lines[2], lines[1], *lines[3:]]))
    message = refused(capsys, "train", "--resume", "real", "--data", "other.csv", "--epochs", 2)
    assert "train split differs" in message


def test_a_table_without_training_rows_can_be_measured_but_not_trained_on(folder, capsys):
    lines = (folder / "fer2013.csv").read_text().splitlines(keepends=True)
    table = folder / "test-only.csv"
    table.write_text("".join([lines[0], *(line for line in lines if "PrivateTest" in line)]))
    expected = json.loads((folder / "real" / "results.json").read_text())["test"]
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", str(folder / "real"), "--data", str(table), "--json"])
    assert not ended.value.code
    assert json.loads(capsys.readouterr().out) == expected
    message = refused(capsys, "train", "--data", table, "--out", folder / "x3")
    assert "test-only.csv: expected training images" in message
    assert not (folder / "x3").exists()


def test_a_loss_that_is_not_finite_ends_with_status_1(folder, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    (folder / "wild.toml").write_text(
        TINY.replace('name = "tiny"', 'name = "wild"')
        + '[optimizer]\nname = "sgd"\nlr = 1e38\n'
    )
    result = run("train", "wild.toml", "--out", "wild", cwd=folder)
    assert result.returncode == 1
    lines = [line for line in result.stderr.splitlines() if not line.startswith("compiling ")]
    assert len(lines) == 1
    assert "the loss became" in lines[0]
    assert "learning rate 1e+38: conv2d_1 is the first layer" in lines[0]
    assert "; the largest weight is " in lines[0]
    # it can be gone on with, to the same end: another run needs another folder
    assert "wild: already holds a run" in refused(capsys, "train", "tiny.toml", "--out",
                                                  folder / "wild")
    result = run("train", "--resume", "wild", "--detect-anomaly", cwd=folder)
    assert result.returncode == 1
    assert result.stderr.startswith("minicnn: a value became NaN or infinite in epoch 1, batch 2")


def test_a_run_may_end_with_fewer_epochs_than_it_was_to_have(folder):
    process = subprocess.Popen(
        [MINICNN, "train", "tiny.toml", "--out", "long", "--epochs", "400"], cwd=folder,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )
    history = folder / "long" / "history.csv"
    while process.poll() is None and (
        not history.exists() or len(history.read_text().splitlines()) < 2
    ):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=120) and process.returncode == 130
    done = len((folder / "long" / "history.csv").read_text().splitlines()) - 1
    result = run("train", "--resume", "long", "--epochs", done, cwd=folder)
    assert result.returncode == 0, result.stderr
    assert "report" in result.stdout
    assert json.loads((folder / "long" / "results.json").read_text())["best_epoch"] <= done


def test_more_epochs_of_a_cosine_that_is_over_are_refused(folder, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    Path("cosine.toml").write_text(TINY + '[schedule]\nname = "cosine"\n')
    assert run("train", "cosine.toml", "--out", "over", "--epochs", 1, cwd=folder).returncode == 0
    text = Path("over/experiment.toml").read_text()
    assert "lr = 0.001" in text
    message = refused(capsys, "train", "--resume", "over", "--epochs", 2)
    assert "--epochs: expected fewer, got 2: the schedule" in message
    assert Path("over/experiment.toml").read_text() == text
    Path("final.toml").write_text(TINY + '[schedule]\nname = "cosine"\nfinal = 0.5\n')
    assert run("train", "final.toml", "--out", "more", "--epochs", 1, cwd=folder).returncode == 0
    assert run("train", "--resume", "more", "--epochs", 2, cwd=folder).returncode == 0
    rates = [line.split(",")[6] for line in Path("more/history.csv").read_text().splitlines()]
    assert rates[2] == "0.0005"


def test_ctrl_c_before_training_says_so(capsys, monkeypatch):
    def interrupt(name):
        raise KeyboardInterrupt

    monkeypatch.setattr("minicnn.training.read_experiment", interrupt)
    with pytest.raises(SystemExit) as ended:
        main(["train"])
    assert ended.value.code == 130
    assert capsys.readouterr().err == "minicnn: interrupted\n"


def test_the_backend_may_come_from_the_environment(folder):
    environment = {**os.environ, "MINICNN_BACKEND": "gpu"}
    result = run("train", cwd=folder, env=environment)
    assert result.returncode == 2
    assert "MINICNN_BACKEND: expected one of cpu, reference, got 'gpu'" in result.stderr
