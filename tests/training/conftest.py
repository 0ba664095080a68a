"""A run that is finished, made once for all tests of runs."""

import shutil
from pathlib import Path

import pytest
from command_line import run
from kill_and_resume import EXPERIMENT


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of runs, with one that is finished."""
    folder = tmp_path_factory.mktemp("runs")
    (folder / "killed.toml").write_text(EXPERIMENT)
    ended = run("train", "killed.toml", "--out", "whole", "--checkpoint-every", "4", cwd=folder)
    assert ended.returncode == 0, ended.stderr
    return folder


@pytest.fixture
def copied(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished run that a test may spoil."""
    shutil.copytree(finished / "whole", tmp_path / "run")
    return tmp_path / "run"
