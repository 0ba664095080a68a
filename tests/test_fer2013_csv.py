"""FER2013 as a CSV table, on its own and in archives: what is read, and what is refused."""

import csv
import gzip
import io
import tarfile
import zipfile

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minicnn.data import fer2013
from minicnn.data.csv_reader import read_csv
from minicnn.errors import InputError

USAGES = ("Training", "PublicTest", "PrivateTest")
FER2013 = ("emotion", "pixels", "Usage")
ICML = ("emotion", " Usage", " pixels")


@pytest.fixture(autouse=True)
def cache_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MINICNN_CACHE_DIR", str(tmp_path / "cache"))


def pixel_text(image):
    return " ".join(map(str, image.ravel().tolist()))


def random_rows(count, seed=0):
    """Labels, images and usages; every usage occurs from three rows on."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 7, count).tolist()
    images = rng.integers(0, 256, (count, 48, 48), dtype=np.uint8)
    return labels, images, [USAGES[row % 3] for row in range(count)]


def lines_of(columns=FER2013, count=6, seed=0):
    """A table's lines, the header first."""
    lines = [",".join(columns)]
    for label, image, usage in zip(*random_rows(count, seed), strict=True):
        field = {"emotion": str(label), "pixels": pixel_text(image), "usage": usage}
        lines.append(",".join(field[column.strip().lower()] for column in columns))
    return lines


def table_bytes(columns=FER2013, count=6, seed=0):
    return ("\n".join(lines_of(columns, count, seed)) + "\n").encode()


def parse(content):
    return read_csv(io.BufferedReader(io.BytesIO(content)), "t.csv")


def assert_holds(splits, labels, images, usages):
    for name, usage in zip(("train", "validation", "test"), USAGES, strict=True):
        rows = [row for row, other in enumerate(usages) if other == usage]
        assert splits[name].images.dtype == np.uint8
        assert splits[name].labels.dtype == np.int64
        np.testing.assert_array_equal(splits[name].images, images[rows])
        np.testing.assert_array_equal(splits[name].labels, np.array(labels)[rows])


def assert_same(dataset, other):
    for (_, split), (_, expected) in zip(dataset.splits(), other.splits(), strict=True):
        np.testing.assert_array_equal(split.images, expected.images)
        np.testing.assert_array_equal(split.labels, expected.labels)


# What is read


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


def test_no_training_rows_is_an_error(tmp_path):
    lines = [line for line in lines_of() if "Training" not in line]
    (tmp_path / "fer2013.csv").write_text("\n".join(lines))
    with pytest.raises(InputError, match=r"fer2013\.csv: expected training images"):
        fer2013.load(tmp_path / "fer2013.csv")


def test_one_training_image_is_too_few_to_draw_from(tmp_path):
    (tmp_path / "fer2013.csv").write_bytes(table_bytes(count=1))
    with pytest.raises(InputError, match="two training images or more"):
        fer2013.load(tmp_path / "fer2013.csv")


@pytest.mark.parametrize("fraction", [0, 1, -0.1, float("nan")])
def test_validation_fraction_out_of_range(tmp_path, fraction):
    with pytest.raises(InputError, match="validation_fraction: expected more than 0"):
        fer2013.load(tmp_path, validation_fraction=fraction)


def test_a_seed_below_0(tmp_path):
    with pytest.raises(InputError, match="seed: expected 0 or more, got -1"):
        fer2013.load(tmp_path, seed=-1)


def test_a_path_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match=r"nowhere: expected fer2013\.csv .* no such file"):
        fer2013.load(tmp_path / "nowhere")


def test_a_path_that_is_neither_file_nor_folder():
    with pytest.raises(InputError, match="neither a file nor a folder"):
        fer2013.load("/dev/null")


# What is refused in a table


def with_row(fields, columns=FER2013, number=4):
    """A good table but for some fields of data row `number`."""
    names = [column.strip().lower() for column in columns]
    lines = lines_of(columns)
    cells = lines[number].split(",")
    for name, value in fields.items():
        cells[names.index(name)] = value
    lines[number] = ",".join(cells)
    return ("\n".join(lines) + "\n").encode()


PIXELS = lines_of(count=1)[1].split(",")[1].split()

BAD_FIELDS = {
    "2,303 pixels": ({"pixels": " ".join(PIXELS[1:])}, "expected 2304 pixels, got 2303"),
    "2,305 pixels": ({"pixels": " ".join([*PIXELS, "0"])}, "expected 2304 pixels, got 2305"),
    "no pixels": ({"pixels": ""}, "expected 2304 pixels, got 0"),
    "pixel 256": ({"pixels": " ".join(["256", *PIXELS[1:]])}, "pixel 1: .* got '256'"),
    "pixel abc": ({"pixels": " ".join([*PIXELS[:-1], "abc"])}, "pixel 2304: .* got 'abc'"),
    "pixel -1": ({"pixels": " ".join([PIXELS[0], "-1", *PIXELS[2:]])}, "pixel 2: .* got '-1'"),
    "pixel 1.5": ({"pixels": " ".join(["1.5", *PIXELS[1:]])}, r"pixel 1: .* got '1\.5'"),
    "label 7": ({"emotion": "7"}, "expected an emotion from 0 to 6, got '7'"),
    "label -1": ({"emotion": "-1"}, "expected an emotion from 0 to 6, got '-1'"),
    "label x": ({"emotion": "x"}, "expected an emotion from 0 to 6, got 'x'"),
    "no label": ({"emotion": ""}, "expected an emotion from 0 to 6, got ''"),
    "unknown usage": ({"usage": "Holdout"}, "expected Usage Training, .* got 'Holdout'"),
    "no usage": ({"usage": ""}, "expected Usage Training, .* got ''"),
    "one field more": ({"usage": "Training,"}, "expected 3 fields, got 4"),
    "unclosed quote": ({"usage": '"Training'}, "a quote that does not close its field"),
    "quote within": ({"emotion": '"3"3'}, "a quote that does not close its field"),
}


@pytest.mark.parametrize("columns", [FER2013, ICML], ids=["fer2013", "icml"])
@pytest.mark.parametrize(("fields", "message"), BAD_FIELDS.values(), ids=BAD_FIELDS)
def test_a_bad_field_is_named_with_its_row(columns, fields, message):
    with pytest.raises(InputError, match=f"^t\\.csv: data row 4: .*{message}") as caught:
        parse(with_row(fields, columns))
    assert "\n" not in str(caught.value)
    assert "cut short" not in str(caught.value)


def test_a_missing_field_is_named_with_its_row():
    lines = lines_of()
    lines[2] = lines[2].rpartition(",")[0]
    with pytest.raises(InputError, match=r"data row 2: expected 3 fields, got 2$"):
        parse("\n".join(lines).encode())


def test_bytes_that_are_not_utf8_are_named_with_their_row():
    content = table_bytes().replace(b"PublicTest", b"Public\xe9est", 1)
    with pytest.raises(InputError, match=r"data row 2: .* got 'Public\\\\xe9est'"):
        parse(content)
    content = with_row({"pixels": " ".join(["\0", *PIXELS[1:]])}, number=6)
    with pytest.raises(InputError, match=r"data row 6: pixel 1: .* got '\\x00'"):
        parse(content)


def test_the_first_bad_row_is_the_one_named():
    content = with_row({"pixels": "1 2"}, number=2)
    lines = content.decode().splitlines()
    lines[5] = "7" + lines[5][1:]
    with pytest.raises(InputError, match="data row 2:"):
        parse("\n".join(lines).encode())


@pytest.mark.parametrize("columns", [FER2013, ICML], ids=["fer2013", "icml"])
def test_a_truncated_last_row_is_refused_wherever_it_is_cut(columns):
    content = table_bytes(columns, count=2)
    start = content.rstrip(b"\n").rindex(b"\n") + 1
    last = content[start:].rstrip(b"\n")
    # Where the pixels stand last, cutting digits off the last number leaves a sound row.
    end = last.rindex(b" ") + 1 if columns == ICML else len(last)
    cuts = {1, 2, 3, *range(5, end, 97), *range(end - 20, end)}
    for cut in sorted(cuts):
        with pytest.raises(InputError, match=r"data row 2: .*the last row: is the file cut short"):
            parse(content[: start + cut])


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("emotion,Usage", r"expected one column pixels, found 0 among 'emotion', 'Usage'"),
        ("label,pixels,Usage", "expected one column emotion, found 0"),
        ("emotion,pixels", "expected one column Usage, found 0"),
        ("emotion,pixels,pixels,Usage", "expected one column pixels, found 2"),
        ("emotion;pixels;Usage", "found 0 among 'emotion;pixels;Usage'"),
        ('emotion,"pixels,Usage', "the header: expected quotes in pairs"),
    ],
)
def test_a_bad_header(header, message):
    with pytest.raises(InputError, match=f"^t\\.csv: .*{message}"):
        parse(f"{header}\n".encode())


@pytest.mark.parametrize("content", [b"", b"\n\r\n", b"\xef\xbb\xbf"])
def test_an_empty_file(content):
    with pytest.raises(InputError, match="expected a CSV table, got an empty file"):
        parse(content)


@pytest.mark.parametrize("end", ["", "\n", "\r\n\r\n"])
def test_a_header_and_nothing_more(end):
    with pytest.raises(InputError, match="expected data rows, got a header"):
        parse(f"emotion,pixels,Usage{end}".encode())


@pytest.mark.parametrize(
    "content",
    [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "emotion,pixels,Usage\n".encode("utf-16"), b"emo\xfftion"],
    ids=["png", "utf-16", "latin-1"],
)
def test_a_file_that_is_not_text(content):
    with pytest.raises(InputError, match=r"expected a CSV table .*, got binary data that begins"):
        parse(content)


# Archives


def zip_of(members):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as writer:
        for name, content in members.items():
            writer.writestr(name, content)
    return archive.getvalue()


def tar_of(members, mode="w:gz"):
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode=mode) as writer:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            writer.addfile(info, io.BytesIO(content))
    return archive.getvalue()


TABLE = table_bytes()
OTHER = b"emotion,pixels\n"

ARCHIVES = {
    "zip": zip_of({"fer2013.csv": TABLE}),
    "zip, in a folder": zip_of({"a/b/fer2013.csv": TABLE, "a/README": b"faces", "a.csv": OTHER}),
    "zip, icml": zip_of({"train.csv": OTHER, "icml_face_data.csv": table_bytes(ICML)}),
    "zip, only csv": zip_of({"faces.CSV": TABLE, "__MACOSX/._faces.CSV": b"\0", "notes": b""}),
    "zip, tar inside": zip_of({"fer2013.tar.gz": tar_of({"fer2013/fer2013.csv": TABLE})}),
    "tar.gz": tar_of({"fer2013/README": b"faces", "fer2013/fer2013.csv": TABLE, "b.csv": OTHER}),
    "tar.gz, only csv": tar_of({"faces.csv": TABLE, "README": b"faces"}),
    "tar": tar_of({"fer2013.csv": TABLE}, mode="w"),
    "csv.gz": gzip.compress(TABLE),
}


@pytest.mark.parametrize("content", ARCHIVES.values(), ids=ARCHIVES)
def test_a_table_in_an_archive(tmp_path, content):
    plain, packed = tmp_path / "fer2013.csv", tmp_path / "download"
    plain.write_bytes(TABLE)
    packed.write_bytes(content)
    assert_same(fer2013.load(packed), fer2013.load(plain))
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [
        "cache",
        "download",
        "fer2013.csv",
    ]


@pytest.mark.parametrize("pack", [zip_of, tar_of])
@pytest.mark.parametrize(
    ("members", "found"),
    [
        ({"a.csv": TABLE, "b.csv": TABLE}, "'a.csv', 'b.csv'"),
        ({f"train/happy/{n}.jpg": b"" for n in range(20)}, "'train/happy/0.jpg', .* 12 more"),
        ({"README": b"faces"}, "'README'"),
    ],
)
def test_an_archive_without_the_table_says_what_is_in_it(tmp_path, pack, members, found):
    path = tmp_path / "download.zip"
    path.write_bytes(pack(members))
    with pytest.raises(InputError, match=rf"download\.zip: expected fer2013\.csv .* got {found}"):
        fer2013.load(path)


def test_an_error_in_an_archive_names_the_member(tmp_path):
    path = tmp_path / "download.zip"
    path.write_bytes(zip_of({"a/fer2013.csv": with_row({"emotion": "9"})}))
    with pytest.raises(InputError, match=r"download\.zip: a/fer2013\.csv: data row 4: .* got '9'"):
        fer2013.load(path)


@pytest.mark.parametrize("kind", ["zip", "zip, tar inside", "tar.gz", "tar", "csv.gz"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_truncated_archive(tmp_path, kind, share):
    path = tmp_path / "download"
    content = ARCHIVES[kind].rstrip(b"\0")  # a tar ends in blocks of zeros
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(InputError, match=r"download: .*damaged or cut short"):
        fer2013.load(path)


@pytest.mark.parametrize("kind", ["zip", "tar.gz", "csv.gz"])
def test_a_changed_checksum_is_noticed(tmp_path, kind):
    content = bytearray(ARCHIVES[kind])
    at = content.index(b"PK\x01\x02") + 16 if kind == "zip" else len(content) - 8
    content[at] ^= 1
    (tmp_path / "download").write_bytes(content)
    with pytest.raises(InputError, match=r"download: .*damaged or cut short \(.*CRC"):
        fer2013.load(tmp_path / "download")


def test_an_encrypted_archive(tmp_path):
    content = bytearray(ARCHIVES["zip"])
    for start, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(start) + flags] |= 1
    (tmp_path / "download.zip").write_bytes(content)
    with pytest.raises(InputError, match=r"without a password, got fer2013\.csv encrypted"):
        fer2013.load(tmp_path / "download.zip")


def test_archives_within_archives_come_to_an_end(tmp_path):
    content = TABLE
    for _ in range(10):
        content = gzip.compress(content)
    (tmp_path / "download").write_bytes(content)
    with pytest.raises(InputError, match="archive within archive"):
        fer2013.load(tmp_path / "download")
