"""Drawn faces: the same for the same seed, balanced, and neither blank nor too easy."""

import numpy as np
import pytest

from minicnn.data import drawn_faces
from minicnn.data.dataset import EMOTIONS
from minicnn.data.drawn_faces import EXPRESSIONS, MOVEMENTS, RANGES, draw, load


@pytest.fixture(scope="module")
def dataset():
    return load(train=1400, validation=70, test=700, seed=1)


def mean_face(emotion, count=200):
    labels = np.full(count, EMOTIONS.index(emotion))
    return draw(labels, np.random.default_rng(0)).mean(axis=0)


def test_the_splits_have_the_sizes_asked_for_and_equal_classes_in_random_order(dataset):
    assert dataset.name == "drawn faces"
    assert dataset.classes == EMOTIONS
    for (_, split), size in zip(dataset.splits(), (1400, 70, 700), strict=True):
        assert split.images.shape == (size, 48, 48)
        assert split.images.dtype == np.uint8
        assert split.labels.dtype == np.int64
        np.testing.assert_array_equal(np.bincount(split.labels), [size // 7] * 7)
        assert len(set(split.labels[:20])) > 3


def test_shares_differ_by_one_face_at_most():
    counts = np.bincount(load(train=24, validation=1, test=7).train.labels, minlength=7)
    assert sorted(counts) == [3, 3, 3, 3, 4, 4, 4]


def test_no_face_occurs_twice(dataset):
    faces = np.concatenate([split.images for _, split in dataset.splits()])
    assert len(np.unique(faces.reshape(len(faces), -1), axis=0)) == len(faces)


def test_the_seed_decides_every_pixel():
    first, again, other = (load(train=40, validation=9, test=9, seed=seed) for seed in (5, 5, 6))
    for (_, one), (_, two), (_, three) in zip(
        first.splits(), again.splits(), other.splits(), strict=True
    ):
        assert one.fingerprint() == two.fingerprint()
        assert one.fingerprint() != three.fingerprint()


def test_the_size_of_one_split_does_not_change_the_others():
    small = load(train=10, validation=20, test=30, seed=2)
    large = load(train=100, validation=20, test=30, seed=2)
    assert small.validation.fingerprint() == large.validation.fingerprint()
    assert small.test.fingerprint() == large.test.fingerprint()


def test_how_many_faces_are_painted_at_a_time_does_not_matter(monkeypatch):
    labels = np.arange(50) % 7
    together = draw(labels, np.random.default_rng(3))
    monkeypatch.setattr(drawn_faces, "_CHUNK", 7)
    np.testing.assert_array_equal(draw(labels, np.random.default_rng(3)), together)


def test_every_face_has_contrast_and_the_light_varies(dataset):
    images = dataset.train.images.reshape(1400, -1)
    assert images.std(axis=1).min() > 8
    assert images.mean(axis=1).std() > 15


def test_the_tables_name_the_same_emotions_action_units_and_measures():
    assert tuple(EXPRESSIONS) == EMOTIONS
    assert {unit for units in EXPRESSIONS.values() for unit in units} == set(MOVEMENTS)
    assert {measure for moved in MOVEMENTS.values() for measure in moved} <= set(RANGES)
    assert all(low <= high for low, high in RANGES.values())
    assert EXPRESSIONS["neutral"] == {}


def test_a_surprised_mouth_is_a_dark_opening_in_the_lower_middle():
    change = (mean_face("surprise") - mean_face("neutral"))[28:44]
    row, column = np.unravel_index(change.argmin(), change.shape)
    assert change.min() < -20
    assert 33 <= row + 28 <= 40
    assert 20 <= column <= 27


def test_a_smile_hangs_below_its_corners():
    change = (mean_face("happy") - mean_face("sad"))[28:44]
    corners = change[:, [*range(16, 19), *range(29, 32)]].mean(axis=1)
    middle = change[:, 22:26].mean(axis=1)
    assert max(corners.min(), middle.min()) < -5
    assert corners.argmin() + 3 <= middle.argmin()


def test_a_linear_model_learns_something_but_not_nearly_all(dataset):
    def pixels(split):
        return (split.images.reshape(len(split), -1) - mean) / deviation

    flat = dataset.train.images.reshape(1400, -1).astype(np.float64)
    mean, deviation = flat.mean(axis=0), flat.std(axis=0)
    inputs, targets = pixels(dataset.train), np.eye(7)[dataset.train.labels]
    # Ridge regression in its dual form: w = Xᵀ (X Xᵀ + λ I)⁻¹ Y.
    weights = inputs.T @ np.linalg.solve(inputs @ inputs.T + 1e4 * np.eye(1400), targets)
    guesses = (pixels(dataset.test) @ weights).argmax(axis=1)
    assert 0.3 < (guesses == dataset.test.labels).mean() < 0.75


@pytest.mark.parametrize("setting", ["train", "validation", "test"])
def test_an_empty_split_is_refused(setting):
    with pytest.raises(ValueError, match=f"drawn_faces.load: {setting} must be at least 1, got 0"):
        load(**{setting: 0})


def test_a_negative_seed_is_refused():
    with pytest.raises(ValueError, match="drawn_faces.load: seed must be at least 0, got -1"):
        load(seed=-1)


@pytest.mark.parametrize("setting", ["train", "validation", "test", "seed"])
def test_a_fraction_of_a_face_is_refused(setting):
    with pytest.raises(TypeError, match=f"drawn_faces.load: {setting} must be an integer, got 1.5"):
        load(**{setting: 1.5})


@pytest.mark.parametrize("labels", [[7], [-1], [0.5], [[1, 2]], 3])
def test_labels_must_be_a_vector_of_known_classes(labels):
    with pytest.raises(ValueError, match=r"labels must be a vector of integers in \[0, 7\)"):
        draw(labels, np.random.default_rng(0))


def test_no_labels_give_no_faces():
    assert draw(np.array([], int), np.random.default_rng(0)).shape == (0, 48, 48)
