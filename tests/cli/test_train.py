"""`minicnn train`: what it leaves, how it ends, and how it goes on."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from command_line import MINICNN, TINY, refused, run, status
from distant_arrays import NAME, distant_backend

from minicnn import load
from minicnn.data import fer2013
from minicnn.runs.tables import HISTORY

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT to another process")


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


def test_the_settings_of_a_run_reach_its_model_and_its_folder(folder):
    text = (folder / "real" / "experiment.toml").read_text()
    assert "[views]\nmirror = true\nshift = 0\n" in text
    assert "stop_at_train_accuracy = 0.99\n" in text
    assert load(folder / "real" / "model.safetensors").metadata["views"] == {
        "mirror": True, "shift": 0}


def test_names_with_brackets_are_shown_as_they_are(folder):
    result = run("train", "tiny.toml", "--epochs", 1, "--out", "[old]/[new]", cwd=folder)
    assert result.returncode == 0, result.stderr
    assert "[old]/[new]/report.html" in result.stdout
    assert "[new]: test split" in " ".join(result.stdout.split())


@POSIX
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


@POSIX
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


def test_ctrl_c_before_training_says_so(capsys, monkeypatch):
    def interrupt(name):
        raise KeyboardInterrupt

    monkeypatch.setattr("minicnn.training.read_experiment", interrupt)
    assert status("train") == 130
    assert capsys.readouterr().err == "minicnn: interrupted\n"


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
    assert status("evaluate", folder / "real", "--data", table, "--json") == 0
    assert json.loads(capsys.readouterr().out) == expected
    message = refused(capsys, "train", "--data", table, "--out", folder / "x3")
    assert "test-only.csv: expected training images" in message
    assert not (folder / "x3").exists()


def test_the_backend_may_come_from_the_environment(folder):
    environment = {**os.environ, "MINICNN_BACKEND": "gpu"}
    result = run("train", cwd=folder, env=environment)
    assert result.returncode == 2
    assert "MINICNN_BACKEND: expected one of cpu, reference, cuda, got 'gpu'" in result.stderr


@pytest.mark.parametrize(("options", "words"), [
    (["--epochs", 0], ["--epochs: training.epochs: expected at least 1, got 0"]),
    (["--lr", -1, "--out", "x1"], ["--lr: optimizer: Adam: lr must lie in (0, inf), got -1"]),
    (["--backend", "gpu"], ["backend", "cpu, reference", "gpu"]),
    (["--threads", 0, "--out", "x4"], ["--threads: expected", "from 1 to", "got 0"]),
    (["no-such"], ["no-such", "drawn-faces"]),
    (["paper-bn"], ["--data: paper-bn needs the FER2013 images"]),
    (["tiny.toml", "--out", "readme.txt"], ["readme.txt", "file"]),
    (["tiny.toml", "--out", "drawn"],
     ["drawn: already holds a run", "(minicnn train --resume drawn)"]),
    (["tiny.toml", "--data", "none.csv", "--out", "x2"], ["none.csv"]),
    (["--resume", "none"], ["none", "experiment.toml"]),
    (["--resume", "drawn", "--lr", 0.5], ["--lr: the run has optimizer.lr = 0.001, got 0.5"]),
    (["--resume", "drawn", "--data", "fer2013.csv"], ['--data: the run has data.path = ""']),
    (["--resume", "drawn", "--epochs", 2],
     ["--epochs: expected at least 3, the epochs that are done, got 2"]),
    (["tiny.toml", "--out", ".", "--epochs", 1], ["expected an empty folder"]),
    (["tiny.toml", "--out", ""], ["--out: expected", "empty path"]),
    (["tiny.toml", "--resume", "drawn"], ["--resume: ", "EXPERIMENT"]),
    (["--resume", "real", "--data", "real/history.csv"], ["emotion"]),
    ([300 * "x"], [300 * "x", "name too long"]),
    (["tiny.toml", "--out", 300 * "x"], [300 * "x", "name too long"]),
    (["--resume", 300 * "x"], [300 * "x", "name too long"]),
    (["--frobnicate"], ["--frobnicate"]),
])
def test_mistakes_end_in_one_line(options, words, folder, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    Path("readme.txt").write_text("no folder")
    message = refused(capsys, "train", *options)
    for word in words:
        assert word in message
    assert not any(Path(name).exists() for name in ("x1", "x2", "x4"))


@pytest.mark.slow
@pytest.mark.parametrize("backends", [(NAME, "reference"), ("reference", NAME)], ids=str)
def test_a_run_goes_on_with_another_backend(backends, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("tiny.toml").write_text(TINY)
    with distant_backend():  # its bodies are the reference's
        for out, (first, second) in (("changed", backends), ("same", ["reference"] * 2)):
            begun = status("train", "tiny.toml", "--out", out, "--epochs", 1, "--backend", first)
            resumed = status("train", "--resume", out, "--epochs", 2, "--backend", second)
            assert (begun, resumed) == (0, 0)
    assert f"with backend '{backends[0]}', now it is '{backends[1]}'" in capsys.readouterr().out
    for name in ("model.safetensors", "batchnorm.csv", "layers.csv"):
        assert Path("changed", name).read_bytes() == Path("same", name).read_bytes()
    changed, same = (json.loads(Path(out, "results.json").read_text())["test"]
                     for out in ("changed", "same"))
    assert changed == same
    pictures = {out: {path.name: path.read_bytes() for path in Path(out, "pictures").iterdir()
                      if path.name != "seconds.png"}
                for out in ("changed", "same")}
    assert pictures["changed"] == pictures["same"] != {}
