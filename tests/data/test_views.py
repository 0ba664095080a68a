"""Views at test time, against NumPy's own shifting and mirroring."""

import json
import math

import numpy as np
import pytest

from minicnn import InputError, Sequential, layers, ops
from minicnn.data import Views
from minicnn.inference.evaluation import evaluate, logits_of

RNG = np.random.default_rng(3)
PICTURES = RNG.standard_normal((5, 7, 9, 1)).astype(np.float32)


def shifted(pictures, down, across):
    padded = np.pad(pictures, ((0, 0), (3, 3), (3, 3), (0, 0)), mode="edge")
    height, width = pictures.shape[1:3]
    return padded[:, 3 - down : 3 - down + height, 3 - across : 3 - across + width]


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("shift", [0, 1, 3])
def test_the_views_of_a_batch(mirror, shift):
    views = Views(mirror=mirror, shift=shift)
    found = list(views(PICTURES))
    assert len(found) == len(views)
    assert found[0] is PICTURES
    steps = [-shift, 0, shift] if shift else [0]
    expected = [
        shifted(source, down, across)
        for source in ([PICTURES, PICTURES[:, :, ::-1]] if mirror else [PICTURES])
        for down in steps for across in steps
    ]
    for view in expected:  # in any order, each once
        assert sum(np.allclose(view, other, atol=1e-6) for other in found) == 1


def network():
    return Sequential([layers.Flatten(), layers.Dense(4)], (7, 9, 1), dtype="float64", seed=1)


def test_probabilities_are_means_over_the_views():
    model, views, labels = network(), Views(mirror=True, shift=1), np.array([0, 3, 1, 2, 2])
    x = PICTURES.astype(np.float64)
    expected = np.mean([ops.softmax(model.predict(view)) for view in views(x)], axis=0)
    found = evaluate(model, x, labels, views=views, batch_size=2)
    np.testing.assert_allclose(found.probabilities, expected, rtol=1e-12)
    assert found.loss == pytest.approx(-np.log(expected[np.arange(5), labels]).mean(), rel=1e-12)


def test_sure_answers_stay_finite():
    model = network()
    model.layers[1].parameters()[0].data[...] *= 1e4
    logits = logits_of(model, PICTURES, Views(mirror=True))
    assert np.isfinite(logits).all()
    np.testing.assert_allclose(ops.softmax(logits).sum(1), 1, rtol=1e-12)


def test_the_picture_alone_gives_the_logits_themselves():
    model = network()
    for views in (None, Views()):
        np.testing.assert_array_equal(logits_of(model, PICTURES, views), model.predict(PICTURES))


@pytest.mark.parametrize("settings", [{"mirror": 1}, {"shift": 1.5}, {"shift": -1}])
def test_settings_are_checked(settings):
    with pytest.raises((TypeError, ValueError), match=f"Views: {next(iter(settings))}"):
        Views(**settings)


@pytest.mark.parametrize("value", [
    5, [], "mirror", None, {"mirror": "yes"}, {"shift": math.inf}, {"turn": 3}, {"shift": 49},
    {"shift": 10**400}])
def test_other_metadata_is_refused(value):
    with pytest.raises(InputError, match=r"here: expected the metadata to hold views with mirror"):
        Views.of_model({"views": value}, "here")


def test_settings_of_numpy_become_pythons():
    views = Views(mirror=np.True_, shift=np.int64(3))
    assert json.loads(json.dumps(views.as_dict())) == {"mirror": True, "shift": 3}


def test_metadata_comes_back():
    views = Views(mirror=True, shift=2)
    assert Views.of_model({"views": views.as_dict()}, "here") == views
    assert Views.of_model({}, "here") == Views()
