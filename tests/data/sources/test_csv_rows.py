"""Tables as other programs write them: encodings, separators, columns, names of splits."""

import codecs

import numpy as np
import pytest
from fer2013_tables import (
    assert_same,
    lines_of,
    parse,
    parse_with_notes,
    random_rows,
    table_bytes,
    with_row,
)

from minicnn.data import fer2013
from minicnn.data.dataset import Dataset


@pytest.fixture(autouse=True)
def cache_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MINICNN_CACHE_DIR", str(tmp_path / "cache"))


def as_dataset(splits):
    return Dataset("t", *splits.values())


PLAIN = table_bytes()

SPELLINGS = {
    "semicolons": PLAIN.replace(b",", b";"),
    "tabs": PLAIN.replace(b",", b"\t"),
    "semicolons, declared": b"sep=;\r\n" + PLAIN.replace(b",", b";"),
    "tabs, quoted": b"\n".join(
        b"\t".join(b'"%s"' % field for field in line.split(b",")) for line in PLAIN.splitlines()
    ),
    "UTF-8 with its mark": codecs.BOM_UTF8 + PLAIN,
    "UTF-16": PLAIN.decode().encode("utf-16"),
    "UTF-16, big end first": codecs.BOM_UTF16_BE + PLAIN.decode().encode("utf-16-be"),
    "UTF-16, tabs, as Excel writes Unicode text": (
        PLAIN.decode().replace(",", "\t").replace("\n", "\r\n").encode("utf-16")
    ),
    "UTF-32": PLAIN.decode().encode("utf-32"),
    "an index column": b"\n".join(
        b"%s,%s" % (b"" if row == 0 else b"%d" % row, line)
        for row, line in enumerate(PLAIN.splitlines())
    ),
    "an empty last line": PLAIN + b"\r\n\n",
}


@pytest.mark.parametrize("content", SPELLINGS.values(), ids=SPELLINGS)
def test_every_spelling_gives_the_same(content):
    assert_same(as_dataset(parse(content)), as_dataset(parse(PLAIN)))
    assert parse_with_notes(content)[1] == ()


@pytest.mark.parametrize("usages", [
    ("train", "validation", "test"), ("TRAIN", "Val", "Testing"), (" training", "valid ", "TEST"),
])
def test_usage_may_be_called_as_folders_are(usages):
    content = PLAIN.decode()
    for name, usage in zip(("Training", "PublicTest", "PrivateTest"), usages, strict=True):
        content = content.replace(name, usage)
    assert_same(as_dataset(parse(content.encode())), as_dataset(parse(PLAIN)))


@pytest.mark.parametrize(("text", "label"), [
    ("0.0", 0), (" 3 ", 3), ('"3"', 3), ('" 6. "', 6), ("05", 5), ("2.000", 2),
    ("Happiness", 3), ("anger", 0), ("sad", 4), ("Neutral", 6),
])
def test_a_label_is_a_whole_number_however_it_is_written_or_a_name(text, label):
    labels, _, _ = random_rows(6)
    splits = parse(with_row({"emotion": text}, number=4))
    labels[3] = label
    assert splits["train"].labels.tolist() == [labels[0], labels[3]]


def training_table(count=90):
    """Kaggle's train.csv: labels and pixels, no Usage."""
    return "\n".join(line.rpartition(",")[0] for line in lines_of(count=count)) + "\n"


def test_a_table_without_usage_is_for_training(tmp_path):
    path = tmp_path / "train.csv"
    path.write_text(training_table())
    first = fer2013.load(path, seed=3)
    assert len(first.train) + len(first.validation) == 90
    assert len(first.test) == 0
    counts = np.bincount(np.concatenate([first.train.labels, first.validation.labels]))
    expected = [round(0.1 * count) for count in counts]
    np.testing.assert_array_equal(np.bincount(first.validation.labels), np.maximum(expected, 1))
    assert "no column Usage: all of its 90 rows were taken for training" in first.notes[0]
    assert "seed 3" in first.notes[1]
    assert "test is empty" in first.notes[2]
    again = fer2013.load(path, seed=3)  # from the cache
    assert_same(again, first)
    assert again.notes == first.notes
    other = fer2013.load(path, seed=4)
    assert other.validation.fingerprint() != first.validation.fingerprint()


def test_pictures_without_labels(tmp_path):
    _, images, _ = random_rows(6)
    lines = [line.split(",")[1] for line in lines_of()]
    (tmp_path / "test.csv").write_text("\n".join(lines))
    read, notes = fer2013.load_unlabelled(tmp_path / "test.csv")
    np.testing.assert_array_equal(read, images)
    assert notes == ()
    (tmp_path / "fer2013.csv").write_bytes(PLAIN)
    read, notes = fer2013.load_unlabelled(tmp_path / "fer2013.csv")
    np.testing.assert_array_equal(read, images)
    assert notes == ("fer2013.csv has labels too, which were not looked at.",)
