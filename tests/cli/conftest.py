"""What the tests of several commands work on."""

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import TINY, run

from minicnn import backend_name, use_backend
from minicnn.cli.output import Interruption
from minicnn.data import drawn_faces


@pytest.fixture(autouse=True)
def chosen() -> Iterator[None]:
    """What a command chooses and says is that of its test alone."""
    Interruption.said = False
    with use_backend(backend_name()):
        yield


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
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
