"""The networks that come with the package are found by name, unless a file has that name."""

import pytest
from refusals import assert_refused

from minicnn import InputError
from minicnn.weights import model_path, pretrained_names, pretrained_path


def test_some_networks_come_trained():
    assert "paper-bn" in pretrained_names()
    assert pretrained_names() == sorted(pretrained_names())
    assert sum(pretrained_path(name).stat().st_size for name in pretrained_names()) <= 10e6


@pytest.mark.parametrize("name", pretrained_names())
def test_a_name_is_that_of_its_file(name):
    assert model_path(name) == pretrained_path(name)
    assert pretrained_path(name).is_file()


def test_a_file_goes_before_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "paper-bn").write_bytes(b"")
    assert not model_path("paper-bn").is_absolute()


def test_what_may_be_a_file_is_left_to_whoever_opens_it(tmp_path):
    assert model_path(tmp_path / "none.safetensors") == tmp_path / "none.safetensors"


def test_a_name_of_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert_refused(lambda: model_path("paper"), InputError,
                   "paper: expected a model (.safetensors), the folder of a run or one of "
                   f"{', '.join(pretrained_names())}, but there is no such file, folder or name")
