"""FER2013 as pictures in folders: what is read, in which order, and what is refused."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from minicnn.data import fer2013
from minicnn.data.dataset import EMOTIONS
from minicnn.data.sources.image_folder import find_pictures
from minicnn.errors import InputError

pytestmark = pytest.mark.filterwarnings("ignore:.*there is no contrast")


@pytest.fixture(autouse=True)
def cache_folder(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("MINICNN_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))


def save(path, grey):
    """A picture of one grey level, by which a test knows it again, but for its last pixel."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((48, 48), grey, np.uint8)
    pixels[-1, -1] = (grey + 128) % 256  # there is contrast
    Image.fromarray(pixels).save(path)


def face_folder(root, **counts):
    """Splits of so many pictures an emotion; grey = 30 × label + number in train, +100 in test."""
    for split, count in counts.items():
        for label, emotion in enumerate(EMOTIONS):
            for number in range(count):
                grey = 30 * label + number + (20 if split == "test" else 0)
                save(root / split / emotion / f"{number}.png", grey)
    return root


def greys(split):
    return split.images[:, 0, 0].tolist()


def test_three_splits(tmp_path):
    root = face_folder(tmp_path / "faces", train=3, val=2, test=1)
    dataset = fer2013.load(root)
    for split, count, offset in (
        (dataset.train, 3, 0),
        (dataset.validation, 2, 0),
        (dataset.test, 1, 20),
    ):
        expected = {30 * label + number + offset for label in range(7) for number in range(count)}
        assert set(greys(split)) == expected
        pixels = split.images.reshape(len(split), -1)[:, :-1]
        np.testing.assert_array_equal(pixels.min(1), pixels.max(1))
        np.testing.assert_array_equal(split.labels, split.images[:, 0, 0] // 30)
        assert split.images.dtype == np.uint8
        assert split.labels.dtype == np.int64
    assert dataset.name == "faces"
    assert dataset.notes == ()


def test_validation_is_drawn_from_train_class_by_class(tmp_path):
    root = face_folder(tmp_path / "faces", train=20, test=1)
    dataset = fer2013.load(root, seed=5)
    assert np.bincount(dataset.validation.labels).tolist() == [2] * 7
    assert np.bincount(dataset.train.labels).tolist() == [18] * 7
    assert set(greys(dataset.train)).isdisjoint(greys(dataset.validation))
    assert dataset.notes == (
        "faces has no validation images: 14 of its 140 training images were drawn for it"
        " (10% of each emotion, seed 5), and 126 remain.",
    )
    again = fer2013.load(root, seed=5)
    assert again.validation.fingerprint() == dataset.validation.fingerprint()
    other = fer2013.load(root, seed=6)
    assert set(greys(other.validation)) != set(greys(dataset.validation))


def test_the_first_rows_hold_every_emotion(tmp_path):
    for label, emotion in enumerate(EMOTIONS):
        for number in range(2 + 2 * label):
            save(tmp_path / "train" / emotion / f"{emotion}_{number:02}.png", 30 * label + number)
    labels = [label for _, label in find_pictures(tmp_path)["train"]]
    assert np.bincount(labels[: len(labels) // 2]).tolist() == [1 + label for label in range(7)]
    of_sad = [file.name for file, label in find_pictures(tmp_path)["train"] if label == 4]
    assert of_sad == sorted(of_sad)


def test_names_in_any_case_and_their_variants(tmp_path):
    for emotion in ("ANGRY", "Disgusted", "fearful", "Happy", "SAD", "surprised", "Neutral"):
        save(tmp_path / "Train" / emotion / "1.PNG", 10)
        save(tmp_path / "TEST" / emotion / "1.png", 20)
    save(tmp_path / "Validation" / "happy" / "1.png", 30)
    dataset = fer2013.load(tmp_path)
    assert sorted(dataset.train.labels) == list(range(7))
    assert greys(dataset.test) == [20] * 7
    assert dataset.validation.labels.tolist() == [3]


def test_the_nouns_of_other_sets(tmp_path):
    nouns = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
    for label, emotion in enumerate(nouns):
        save(tmp_path / "training" / emotion / "1.png", 10 * label)
        save(tmp_path / "testing" / emotion.upper() / "1.png", 10 * label)
    for split in find_pictures(tmp_path)["train"], find_pictures(tmp_path)["test"]:
        assert [(file.parent.name.lower(), label) for file, label in split] == list(
            zip(nouns, range(7), strict=True)
        )


@pytest.mark.parametrize("validation", ["val", "valid", "validation", "PublicTest"])
def test_the_split_folders_may_be_called_as_in_the_table(tmp_path, validation):
    face_folder(tmp_path, **{"Training": 3, validation: 2, "PrivateTest": 1})
    dataset = fer2013.load(tmp_path)
    assert [len(split) for _, split in dataset.splits()] == [21, 14, 7]
    assert dataset.notes == ()


def test_what_holds_no_picture_may_lie_beside_the_splits(tmp_path):
    face_folder(tmp_path, train=2, val=1, test=1)
    (tmp_path / "README.md").write_text("Faces.")
    (tmp_path / "fer2013.csv").write_text("emotion")
    (tmp_path / "extra").mkdir()
    (tmp_path / "train" / "contempt").mkdir()
    (tmp_path / "extra" / ".DS_Store").write_bytes(b"")
    save(tmp_path / ".git" / "1.png", 0)
    save(tmp_path / "__MACOSX" / "train" / "happy" / "1.png", 0)
    assert len(fer2013.load(tmp_path).train) == 14


def test_hidden_files_are_passed_over(tmp_path):
    face_folder(tmp_path, train=2, val=1, test=1)
    for name in (".DS_Store", "train/.DS_Store", "train/happy/Thumbs.db", "test/sad/._1.png"):
        (tmp_path / name).write_bytes(b"\0")
    (tmp_path / "train" / ".ipynb_checkpoints").mkdir()
    assert len(fer2013.load(tmp_path).train) == 14


def test_an_emotion_may_be_missing_or_empty(tmp_path):
    face_folder(tmp_path, train=2, val=1, test=1)
    (tmp_path / "train" / "disgust" / "0.png").unlink()
    (tmp_path / "train" / "disgust" / "1.png").unlink()
    for file in (tmp_path / "test" / "sad").iterdir():
        file.unlink()
    (tmp_path / "test" / "sad").rmdir()
    dataset = fer2013.load(tmp_path)
    assert np.bincount(dataset.train.labels, minlength=7).tolist() == [2, 0, 2, 2, 2, 2, 2]
    assert np.bincount(dataset.test.labels, minlength=7).tolist() == [1, 1, 1, 1, 0, 1, 1]


def test_without_test_pictures_test_is_empty(tmp_path):
    dataset = fer2013.load(face_folder(tmp_path, train=2, val=1))
    assert len(dataset.test) == 0
    assert "no test images" in dataset.notes[0]


def test_without_training_pictures_train_is_empty(tmp_path):
    dataset = fer2013.load(face_folder(tmp_path / "faces", test=2))
    assert [len(split) for _, split in dataset.splits()] == [0, 0, 14]
    assert dataset.notes == (
        "faces has no training images: it can be audited and measured, but not trained on.",
    )


def test_every_image_knows_its_file(tmp_path):
    root = face_folder(tmp_path / "faces", train=5, test=1)
    for _ in range(2):  # decoded, then remembered
        for _, split in fer2013.load(root).splits():
            for image, source in zip(split.images, split.sources, strict=True):
                np.testing.assert_array_equal(np.asarray(Image.open(root / source)), image)


def test_a_file_name_that_is_not_text_is_escaped(tmp_path):
    face_folder(tmp_path, train=2, val=1, test=1)
    (tmp_path / "val" / "sad" / "0.png").rename(tmp_path / "val" / "sad" / os.fsdecode(b"\xff.png"))
    assert "val/sad/\\xff.png" in fer2013.load(tmp_path).validation.sources


def test_pictures_of_several_formats(tmp_path):
    face_folder(tmp_path, train=1, val=1, test=1)
    for ending in ("jpg", "bmp", "gif", "webp", "tiff"):
        save(tmp_path / "train" / "happy" / f"face.{ending}", 200)
    assert np.sum(np.abs(np.array(greys(fer2013.load(tmp_path).train)) - 200) <= 1) == 5


# What is refused


def refused(folder):
    with pytest.raises(InputError) as caught:
        fer2013.load(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_an_unknown_emotion(tmp_path):
    face_folder(tmp_path, train=1, test=1)
    save(tmp_path / "test" / "contempt" / "1.png", 0)
    message = refused(tmp_path)
    assert message.startswith(f"{tmp_path / 'test' / 'contempt'}: expected a folder named angry,")
    assert message.endswith("got contempt (FER2013 has no such class: move the folder away)")


@pytest.mark.parametrize("content", ["happy/1.png", "1.png", "more/notes/a.png"])
def test_an_unknown_split(tmp_path, content):
    face_folder(tmp_path, train=1, test=1)
    save(tmp_path / "dev" / content, 0)
    assert refused(tmp_path) == (
        f"{tmp_path / 'dev'}: expected a folder named train, validation, test, got dev"
    )


def test_two_folders_for_one_split(tmp_path):
    face_folder(tmp_path, train=1, val=1, PublicTest=1)
    assert "expected one folder for validation, got PublicTest and val" in refused(tmp_path)


def test_two_folders_for_one_emotion(tmp_path):
    face_folder(tmp_path, train=1, test=1)
    save(tmp_path / "train" / "Fearful" / "1.png", 0)
    assert "train: expected one folder for fear, got Fearful and fear" in refused(tmp_path)


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n"])
def test_a_corrupt_picture_is_named(tmp_path, content):
    face_folder(tmp_path, train=1, test=1)
    bad = tmp_path / "train" / "fear" / "face.png"
    bad.write_bytes(content)
    assert refused(tmp_path).startswith(f"{bad}: expected a picture")


def test_a_truncated_picture_is_named(tmp_path):
    face_folder(tmp_path, train=1, test=1)
    bad = tmp_path / "train" / "fear" / "0.png"
    bad.write_bytes(bad.read_bytes()[:-30])
    assert refused(tmp_path).startswith(f"{bad}: expected a whole picture")


def test_something_unreadable_among_the_pictures(tmp_path):
    face_folder(tmp_path, train=1, test=1)
    (tmp_path / "train" / "fear" / "more").mkdir()
    (tmp_path / "train" / "sad" / "gone.png").symlink_to(tmp_path / "nowhere")
    assert str(Path("fear", "more")) + ": expected a picture, got a folder" in refused(tmp_path)
    (tmp_path / "train" / "fear" / "more").rmdir()
    assert "gone.png: expected a picture, but there is no such file" in refused(tmp_path)


@pytest.mark.parametrize("folders", [[], ["train"], ["train/happy", "test/sad"], ["happy"]])
def test_no_pictures(tmp_path, folders):
    for folder in folders:
        (tmp_path / folder).mkdir(parents=True)
    message = refused(tmp_path)
    found = sorted({folder.split("/")[0] for folder in folders})
    assert "expected pictures in train/<emotion>/" in message
    assert "found " + (", ".join(map(repr, found)) or "nothing") in message


def test_emotions_without_a_split(tmp_path):
    save(tmp_path / "happy" / "1.png", 0)
    assert refused(tmp_path).endswith(
        "found 'happy' (put the folders of emotions, called by name, into a folder train)"
    )


@pytest.mark.parametrize("around", ["", "DATASET"])
def test_numbers_are_no_emotions(tmp_path, around):
    for number in range(1, 8):  # as of RAF-DB, where 1 is surprise
        save(tmp_path / around / "train" / str(number) / "1.png", 0)
    assert refused(tmp_path).endswith(
        "got 1 (numbers mean different emotions in different sets: give it the name of its own)"
    )


@pytest.mark.parametrize(("name", "way_on"), [
    ("emotions.ipynb", "a notebook holds no pictures"),
    ("face.JPG", "a picture's emotion is the name of its folder"),
])
def test_a_folder_of_other_things_says_the_way_on(tmp_path, name, way_on):
    (tmp_path / name).write_bytes(b"{}")
    assert f"found '{name}' ({way_on}" in refused(tmp_path)
