"""Paths with a tilde, at every door that takes one."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import minicnn
from minicnn import data, models
from minicnn.checking import check_file
from minicnn.data.sources.images import read_grey
from minicnn.files.paths import as_path
from minicnn.runs.folder import RunFolder
from minicnn.training import read_experiment


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's home, which is not the working folder."""
    (tmp_path / "home").mkdir()
    (tmp_path / "elsewhere").mkdir()
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "elsewhere")
    return tmp_path / "home"


def test_a_tilde_is_the_home(home: Path) -> None:
    assert as_path("~/a b") == home / "a b"
    assert as_path("~") == home
    assert as_path("a/~") == Path("a/~")
    assert as_path("~nobody-of-this-name/x") == Path("~nobody-of-this-name/x")
    assert as_path("x" * 5000) == Path("x" * 5000)


def test_what_is_called_so_comes_first(home: Path) -> None:
    Path("~").mkdir()
    Path("~", "file").touch()
    assert as_path("~/file") == Path("~/file")
    assert as_path("~/other") == home / "other"


def test_every_door(home: Path) -> None:
    network = models.drawn_faces(seed=0)
    network.save("~/model.safetensors")
    assert (home / "model.safetensors").exists()
    assert minicnn.load("~/model.safetensors").config() == network.config()

    Image.fromarray(np.arange(48 * 48, dtype=np.uint8).reshape(48, 48)).save(home / "face.png")
    assert read_grey("~/face.png").shape == (48, 48)

    (home / "relu.py").write_text("def relu_forward(x):\n    return x * (x > 0), x\n")
    assert [finding.verdict for finding in check_file("~/relu.py")] == ["correct"]

    row = "3," + " ".join(["7"] * 48 * 48) + ",PrivateTest\n"
    (home / "faces.csv").write_text("emotion,pixels,Usage\n" + row)
    assert len(data.fer2013.load("~/faces.csv").test) == 1

    (home / "own.toml").write_text('name = "own"\n[data]\nsource = "fer2013"\n'
                                   'path = "~/faces.csv"\n[model]\nlayers = '
                                   '[{type = "Flatten"}, {type = "Dense", units = 7}]\n')
    experiment = read_experiment("~/own.toml")
    assert len(experiment.load_data().test) == 1
    assert RunFolder("~/run").path == home / "run"
