"""Starting a run: what is built, and what its folder holds before the first step."""

import io

import numpy as np
import pytest
from kill_and_resume import EXPERIMENT
from rich.console import Console
from small_training import assert_equal_states

from minicnn import InputError
from minicnn.training import read_experiment, start_run
from minicnn.training.plan import build_model


@pytest.fixture
def experiment(tmp_path):
    path = tmp_path / "killed.toml"
    path.write_text(EXPERIMENT)
    return path


def quiet():
    return Console(file=io.StringIO())


def test_a_start_builds_the_network_once(experiment, tmp_path, monkeypatch):
    built = []

    def count(*arguments):
        built.append(build_model(*arguments))
        return built[-1]

    monkeypatch.setattr("minicnn.training.experiment.build_model", count)
    with start_run(read_experiment(experiment), tmp_path / "run", quiet()) as run:
        assert run.trainer.model is built[0]
    assert len(built) == 1


def test_a_second_run_of_an_experiment_begins_with_a_network_of_its_own(experiment, tmp_path):
    described = read_experiment(experiment).changed(training={"epochs": 1})
    with start_run(described, tmp_path / "one", quiet()) as one:
        one.train()
    with start_run(described, tmp_path / "two", quiet()) as two:
        assert_equal_states(two.trainer.model.state_dict(), described.build().model.state_dict())
        two.train()
    assert_equal_states(one.trainer.model.state_dict(), two.trainer.model.state_dict())


def test_the_folder_says_every_setting(experiment, tmp_path):
    described = read_experiment(experiment)
    with start_run(described, tmp_path / "run", quiet()) as run:
        written = read_experiment(run.folder.experiment)
    assert written == run.experiment == described.completed()
    assert written.augmentation["erase"] == 0.0
    assert np.isclose(written.optimizer["beta2"], 0.999)
    assert [path.name for path in run.folder.path.iterdir() if path.suffix] == ["experiment.toml"]


def test_a_folder_that_is_in_use_is_refused(experiment, tmp_path):
    described = read_experiment(experiment)
    busy = pytest.raises(InputError, match="another process is training in this folder")
    with start_run(described, tmp_path / "run", quiet()), busy:
        start_run(described, tmp_path / "run", quiet())
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"expected an empty folder .* got one with notes\.txt"):
        start_run(described, tmp_path / "other", quiet())
