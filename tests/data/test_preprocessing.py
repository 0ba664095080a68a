"""Standardising grey levels."""

import re

import numpy as np
import pytest

from minicnn import InputError
from minicnn.data import Preprocessing


def test_the_training_images_become_standard():
    images = np.random.default_rng(0).integers(0, 256, (9, 48, 48), dtype=np.uint8)
    preprocessing = Preprocessing.fit(images)
    assert preprocessing.mean == pytest.approx(images.mean())
    assert preprocessing.deviation == pytest.approx(images.std())
    x = preprocessing(images)
    assert x.shape == (9, 48, 48, 1)
    assert x.dtype == np.float32
    np.testing.assert_allclose(
        x[..., 0], (images - images.mean()) / images.std(), rtol=1e-5, atol=1e-6
    )


def test_constant_images_stay_finite():
    images = np.full((2, 48, 48), 7, np.uint8)
    assert (Preprocessing.fit(images)(images) == 0).all()


def test_metadata_round_trip():
    preprocessing = Preprocessing(12.5, 3.25)
    metadata = {"preprocessing": preprocessing.as_dict()}
    assert Preprocessing.of_model(metadata, "m") == preprocessing


@pytest.mark.parametrize("metadata", [
    {}, {"preprocessing": 3}, {"preprocessing": {"mean": "x"}},
    {"preprocessing": {"mean": 1.0, "deviation": 0.0}},
])
def test_bad_metadata_is_refused(metadata):
    with pytest.raises(InputError, match="m.safetensors: expected the metadata to hold"):
        Preprocessing.of_model(metadata, "m.safetensors")


@pytest.mark.parametrize(
    "images",
    [np.zeros((2, 8, 8)), np.zeros((2, 8, 8, 1), np.uint8), np.zeros((8, 8), np.uint8), [[[1]]]],
)
def test_images_that_are_no_grey_levels_are_refused(images):
    array = np.asarray(images)
    message = re.escape(f"images must be uint8 (N, H, W), got {array.dtype} {array.shape}")
    with pytest.raises(ValueError, match=f"Preprocessing.fit: {message}"):
        Preprocessing.fit(images)
    with pytest.raises(ValueError, match=f"Preprocessing: {message}"):
        Preprocessing(0.0, 1.0)(images)


def test_no_images_have_no_mean():
    none = np.zeros((0, 48, 48), np.uint8)
    with pytest.raises(ValueError, match="Preprocessing.fit: images must hold a pixel"):
        Preprocessing.fit(none)
    assert Preprocessing(0.0, 1.0)(none).shape == (0, 48, 48, 1)
