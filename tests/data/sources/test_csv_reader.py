"""FER2013 as a CSV table: which spellings of it are read, and as which splits."""

import csv
import io

import numpy as np
import pandas as pd
import pytest
from fer2013_tables import (
    FER2013,
    ICML,
    USAGES,
    assert_same,
    lines_of,
    parse,
    pixel_text,
    random_rows,
    table_bytes,
)
from hypothesis import given, settings, strategies as st

from minicnn.data import fer2013
from minicnn.errors import InputError


@pytest.fixture(autouse=True)
def cache_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MINICNN_CACHE_DIR", str(tmp_path / "cache"))


def assert_holds(splits, labels, images, usages):
    for name, usage in zip(("train", "validation", "test"), USAGES, strict=True):
        rows = [row for row, other in enumerate(usages) if other == usage]
        assert splits[name].images.dtype == np.uint8
        assert splits[name].labels.dtype == np.int64
        np.testing.assert_array_equal(splits[name].images, images[rows])
        np.testing.assert_array_equal(splits[name].labels, np.array(labels)[rows])


@settings(deadline=None, max_examples=40)
@given(
    count=st.integers(1, 4),
    seed=st.integers(0, 2**32),
    columns=st.permutations(["emotion", " Pixels ", "USAGE", "comment"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    between=st.sampled_from([" ", "  ", "\t", "the line end"]),
    byte_order_mark=st.booleans(),
    blank_lines=st.integers(0, 2),
)
def test_any_spelling_of_a_table_is_read(
    count, seed, columns, quoting, line_end, between, byte_order_mark, blank_lines
):
    labels, images, usages = random_rows(count, seed)
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=quoting, lineterminator=line_end)
    writer.writerow(columns)
    for label, image, usage in zip(labels, images, usages, strict=True):
        field = {
            "emotion": label,
            "pixels": pixel_text(image).replace(" ", between.replace("the line end", line_end)),
            "usage": usage,
            "comment": f'seen, "as is"{line_end}',
        }
        writer.writerow([field[column.strip().lower()] for column in columns])
    content = (text.getvalue() + blank_lines * line_end).encode(
        "utf-8-sig" if byte_order_mark else "utf-8"
    )
    assert_holds(parse(content), labels, images, usages)


def test_agrees_with_pandas(tmp_path):
    path = tmp_path / "fer2013.csv"
    path.write_bytes(table_bytes(count=30))
    dataset = fer2013.load(path)
    frame = pd.read_csv(path)
    for split, usage in zip((dataset.train, dataset.validation, dataset.test), USAGES, strict=True):
        rows = frame[frame["Usage"] == usage]
        pixels = [np.array(text.split(), dtype=int) for text in rows["pixels"]]
        np.testing.assert_array_equal(split.images.reshape(-1, 2304), pixels)
        np.testing.assert_array_equal(split.labels, rows["emotion"])
    assert dataset.name == "fer2013.csv"
    assert dataset.notes == ()


def test_the_last_line_end_may_be_missing():
    content = table_bytes()
    assert_holds(parse(content[:-1]), *random_rows(6))


def test_icml_layout_gives_the_same(tmp_path):
    (tmp_path / "fer2013.csv").write_bytes(table_bytes(FER2013))
    (tmp_path / "icml_face_data.csv").write_bytes(table_bytes(ICML))
    assert_same(
        fer2013.load(tmp_path / "icml_face_data.csv"), fer2013.load(tmp_path / "fer2013.csv")
    )


@settings(deadline=None)
@given(
    token=st.one_of(
        st.integers(-300, 1000).map(str),
        st.text(st.characters(codec="utf-8", exclude_characters=' \t\n\r\v\f,"\0'), min_size=1),
        st.text("0123456789", min_size=1),
    ),
    place=st.integers(0, 2303),
)
def test_a_pixel_is_a_whole_number_up_to_255_and_nothing_else(token, place):
    label, pixels, usage = lines_of(count=1)[1].split(",")
    words = pixels.split()
    words[place] = token
    content = f"emotion,pixels,Usage\n{label},{' '.join(words)},{usage}\n".encode()
    if token.isascii() and token.isdigit() and int(token) <= 255:
        assert parse(content)["train"].images.ravel()[place] == int(token)
    else:
        with pytest.raises(InputError, match=f"row 1: pixel {place + 1}: expected a whole number"):
            parse(content)


# Which splits there are


def test_validation_is_drawn_from_train_where_there_is_none(tmp_path):
    lines = [line.replace("PublicTest", "Training") for line in lines_of(count=90)]
    path = tmp_path / "fer2013.csv"
    path.write_text("\n".join(lines))
    dataset = fer2013.load(path, validation_fraction=0.2, seed=3)
    assert len(dataset.train) + len(dataset.validation) == 60
    share = np.bincount(dataset.validation.labels) / np.bincount(
        np.concatenate([dataset.train.labels, dataset.validation.labels])
    )
    np.testing.assert_allclose(share, 0.2, atol=0.1)
    both = np.concatenate([dataset.train.images, dataset.validation.images])
    assert len(np.unique(both.reshape(60, -1), axis=0)) == 60
    assert len(dataset.notes) == 1
    assert f"{len(dataset.validation)} of its 60 training images" in dataset.notes[0]

    again = fer2013.load(path, validation_fraction=0.2, seed=3)
    assert_same(again, dataset)
    other = fer2013.load(path, validation_fraction=0.2, seed=4)
    assert other.validation.fingerprint() != dataset.validation.fingerprint()
    assert other.test.fingerprint() == dataset.test.fingerprint()


def test_a_missing_test_split_is_empty_and_said_so(tmp_path):
    lines = [line for line in lines_of() if "PrivateTest" not in line]
    (tmp_path / "fer2013.csv").write_text("\n".join(lines))
    dataset = fer2013.load(tmp_path / "fer2013.csv")
    assert dataset.test.images.shape == (0, 48, 48)
    assert dataset.test.labels.shape == (0,)
    assert "no test images" in dataset.notes[0]


@pytest.mark.parametrize(
    ("usages", "sizes"), [(("Training",), [0, 2, 2]), (("Training", "PublicTest"), [0, 0, 2])]
)
def test_a_missing_training_split_is_empty_and_said_so(tmp_path, usages, sizes):
    lines = [line for line in lines_of() if not line.endswith(usages)]
    (tmp_path / "fer2013.csv").write_text("\n".join(lines))
    dataset = fer2013.load(tmp_path / "fer2013.csv")
    assert [len(split) for _, split in dataset.splits()] == sizes
    assert dataset.train.images.shape == (0, 48, 48)
    assert dataset.notes == (
        "fer2013.csv has no training images: it can be audited and measured, but not trained on.",
    )


def test_every_image_knows_its_data_row(tmp_path):
    lines = lines_of(count=90)
    lines[1:] = [line.replace("PublicTest", "Training") for line in lines[1:]]
    (tmp_path / "fer2013.csv").write_text("\n\n".join(lines))  # blank lines are no data rows
    _, images, _ = random_rows(90)
    for _ in range(2):  # parsed, then remembered
        dataset = fer2013.load(tmp_path / "fer2013.csv").limited(20)
        for _, split in dataset.splits():
            rows = [int(source.removeprefix("data row ")) - 1 for source in split.sources]
            np.testing.assert_array_equal(split.images, images[rows])


def test_one_training_image_is_too_few_to_draw_from(tmp_path):
    (tmp_path / "fer2013.csv").write_bytes(table_bytes(count=1))
    with pytest.raises(InputError, match="two training images or more"):
        fer2013.load(tmp_path / "fer2013.csv")


@pytest.mark.parametrize("fraction", [0, 1, -0.1, float("nan")])
def test_validation_fraction_out_of_range(tmp_path, fraction):
    with pytest.raises(ValueError, match=r"validation_fraction must lie in \(0, 1\)"):
        fer2013.load(tmp_path, validation_fraction=fraction)


def test_a_seed_that_is_no_whole_number_from_0_on(tmp_path):
    with pytest.raises(ValueError, match="seed must be at least 0, got -1"):
        fer2013.load(tmp_path, seed=-1)
    with pytest.raises(TypeError, match="seed must be an integer, got 1.5"):
        fer2013.load(tmp_path, seed=1.5)


def test_a_path_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match=r"nowhere: expected fer2013\.csv, .* no such file"):
        fer2013.load(tmp_path / "nowhere")


def test_a_path_that_is_neither_file_nor_folder():
    with pytest.raises(InputError, match="neither a file nor a folder"):
        fer2013.load("/dev/null")
