"""Starting a run: what is built, and what its folder holds before the first step."""

import io

import numpy as np
import pytest
from kill_and_resume import EXPERIMENT
from rich.console import Console
from small_training import assert_equal_states

from minicnn import InputError, Sequential
from minicnn.training import Experiment, read_experiment, resume_run, start_run


@pytest.fixture
def experiment(tmp_path):
    path = tmp_path / "killed.toml"
    path.write_text(EXPERIMENT)
    return path


def quiet():
    return Console(file=io.StringIO())


@pytest.fixture
def built(monkeypatch):
    """The networks that are built, as they are."""
    networks = []
    build = Sequential.__init__

    def count(self, *arguments, **settings):
        build(self, *arguments, **settings)
        networks.append(self)

    monkeypatch.setattr(Sequential, "__init__", count)
    return networks


@pytest.mark.parametrize("options", [{}, {"training.epochs": 1, "seed": 4}])
def test_a_start_and_a_resume_build_the_network_once(experiment, options, tmp_path, built):
    described = read_experiment(experiment).with_options(options)
    with start_run(described, tmp_path / "run", quiet()) as run:
        assert built == [run.trainer.model]
        run.train()
    built.clear()
    epochs = run.experiment.training.epochs + 1
    with resume_run(tmp_path / "run", {"training.epochs": epochs}, quiet()) as resumed:
        assert built == [resumed.trainer.model]
        assert resumed.experiment.training.epochs == epochs


def test_what_cannot_be_built_is_refused_before_anything_is_loaded_or_made(
    experiment, tmp_path, monkeypatch
):
    monkeypatch.setattr(Experiment, "load_data", lambda self: pytest.fail("data is loaded"))
    wrong = read_experiment(experiment).changed(optimizer={"name": "adamm"})
    with pytest.raises(InputError, match="optimizer: expected one of sgd, "):
        start_run(wrong, tmp_path / "run", quiet())
    assert not (tmp_path / "run").exists()


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
