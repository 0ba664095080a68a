"""Standardising grey levels."""

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
