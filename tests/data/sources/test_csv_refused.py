"""FER2013 as a CSV table: what is refused, and how the message leads to it."""

import csv

import pytest
from fer2013_tables import FER2013, ICML, lines_of, parse, table_bytes, with_row

from minicnn.errors import InputError

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


@pytest.mark.parametrize(("fields", "message"), [
    ({"usage": "PrivateTest,"}, "expected 3 fields, got 4"),
    ({"pixels": " ".join([*PIXELS, "0"])}, "expected 2304 pixels, got 2305"),
    ({"pixels": " ".join(PIXELS[1:])}, "expected 2304 pixels, got 2303"),
    ({"emotion": "7"}, "expected an emotion from 0 to 6, got '7'"),
])
def test_a_last_row_whose_end_is_there_is_not_called_cut_short(fields, message):
    with pytest.raises(InputError, match=f"data row 6: {message}$"):
        parse(with_row(fields, number=6))
    with pytest.raises(InputError, match="data row 6: expected 2304 pixels, got 2305$"):
        parse(with_row({"pixels": " ".join([*PIXELS, "0"])}, ICML, number=6))


def test_a_field_too_long_is_told_from_a_quote_that_does_not_close():
    limit = csv.field_size_limit()
    long = "0 " * limit
    lines = ["", *lines_of(count=40)]
    lines[0], lines[1] = lines[1], lines[0]  # the header, then a blank line
    start = lines[3].rpartition(",")[0]
    lines[3] = f"1,{long},Training"
    message = f"data row 2: expected fields of at most {limit} characters, got a longer one$"
    with pytest.raises(InputError, match=message):
        parse("\n".join(lines).encode())
    lines[3] = f'{start},"Training'
    assert len("\n".join(lines[3:])) > limit
    with pytest.raises(InputError, match="data row 2: expected quotes in pairs"):
        parse("\n".join(lines).encode())
    with pytest.raises(InputError, match="the header: expected fields of at most"):
        parse(long.encode())


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
        ("pixels", "expected one column emotion, found 0 .* pictures without labels"),
        ("emotion,pixels,Usage,usage", "expected one column Usage, found 2"),
        ("emotion,pixels,pixels,Usage", "expected one column pixels, found 2"),
        ("emotion|pixels|Usage", r"found 0 among 'emotion\|pixels\|Usage'"),
        ("image,label", "found 0 among 'image', 'label' .* give the folder: train/<emotion>/"),
        ("Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,NF",
         r"FERPlus' votes .* the pictures stand in fer2013\.csv"),
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
    ["emotion,pixels,Usage\n".encode("utf-16-le"), b"emo\xfftion"],
    ids=["utf-16 without its mark", "latin-1"],
)
def test_a_file_that_is_not_text(content):
    with pytest.raises(InputError, match=r"expected a CSV table .*, got binary data that begins"):
        parse(content)
