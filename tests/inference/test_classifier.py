"""A trained network with all it needs, from a file, a run or the package."""

import numpy as np
import pytest

from minicnn import InputError, Sequential, layers, load, ops
from minicnn.data import EMOTIONS, Preprocessing, Split, Views
from minicnn.inference.classifier import Classifier
from minicnn.weights import pretrained_names

RNG = np.random.default_rng(1)
FACES = RNG.integers(0, 256, (6, 48, 48), np.uint8)
VIEWS = Views(mirror=True, shift=1)


@pytest.fixture
def saved(tmp_path):
    """A model's file, as training writes one."""
    model = Sequential([layers.AvgPool2D(8), layers.Flatten(), layers.Dense(7)], (48, 48, 1))
    model.metadata = {
        "classes": [name.upper() for name in EMOTIONS],
        "preprocessing": Preprocessing(120.0, 60.0).as_dict(), "views": VIEWS.as_dict(),
    }
    model.save(tmp_path / "model.safetensors")
    return tmp_path / "model.safetensors"


def test_it_is_what_the_file_says(saved):
    for place in (saved, saved.parent, str(saved)):
        reader = Classifier.load(place)
        assert reader.path == saved
        assert reader.classes == tuple(name.upper() for name in EMOTIONS)
        assert reader.views == VIEWS
        x = Preprocessing(120.0, 60.0)(FACES)
        expected = np.mean([ops.softmax(load(saved).predict(view)) for view in VIEWS(x)], axis=0)
        np.testing.assert_allclose(reader.probabilities(FACES), expected, rtol=1e-5)
        labels = RNG.integers(0, 7, 6)
        found = reader.evaluate(Split(FACES, labels))
        assert found.accuracy == (expected.argmax(1) == labels).mean()


@pytest.mark.parametrize(("change", "message"), [
    ({"classes": ["a"]}, "expected the names of 7 classes, got ['a']"),
    ({"preprocessing": {}}, "expected the metadata to hold preprocessing"),
    ({"views": {"shift": -1}}, "expected the metadata to hold views"),
])
def test_other_metadata_is_refused(saved, change, message):
    model = load(saved)
    model.metadata |= change
    model.save(saved)
    with pytest.raises(InputError) as caught:
        Classifier.load(saved)
    assert str(caught.value).startswith(f"{saved}: {message}")


def test_another_network_is_refused(tmp_path):
    model = Sequential([layers.Flatten(), layers.Dense(7)], (8, 8, 1))
    model.save(tmp_path / "small.safetensors")
    with pytest.raises(InputError, match=r"expected a network from \(48, 48, 1\) to \(7,\)"):
        Classifier.load(tmp_path / "small.safetensors")


def test_answers_that_are_not_finite_are_refused(saved):
    model = load(saved)
    model.parameters()[0].data[...] = 3e38
    model.save(saved)
    with (pytest.raises(InputError, match="but the answers are not finite"),
          np.errstate(all="ignore")):
        Classifier.load(saved).probabilities(FACES)


def test_a_file_or_folder_goes_before_a_name_of_the_package(saved, monkeypatch):
    monkeypatch.chdir(saved.parent)
    monkeypatch.setattr("minicnn.weights.pretrained_names", lambda: ["mine"])
    with pytest.raises(InputError, match=r"mine\.safetensors: expected a minicnn model"):
        Classifier.load("mine")
    saved.parent.joinpath("mine").mkdir()
    saved.rename("mine/model.safetensors")
    assert str(Classifier.load("mine").path) == "mine/model.safetensors"


@pytest.mark.parametrize("name", pretrained_names())
def test_a_network_that_comes_trained_reads_pictures(name):
    reader = Classifier.load(name)
    assert load(name).config() == reader.model.config()
    answers = reader.probabilities(FACES)
    assert answers.shape == (6, 7)
    np.testing.assert_allclose(answers.sum(1), 1, rtol=1e-5)
    assert reader.model.metadata["classes"] == list(EMOTIONS)
