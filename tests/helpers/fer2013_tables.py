"""FER2013 tables of random images, whole and with one bad row, and what they should be read as."""

import io

import numpy as np

from minicnn.data.sources.csv_reader import read_csv

USAGES = ("Training", "PublicTest", "PrivateTest")
FER2013 = ("emotion", "pixels", "Usage")
ICML = ("emotion", " Usage", " pixels")


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
    return parse_with_notes(content)[0]


def parse_with_notes(content):
    return read_csv(io.BufferedReader(io.BytesIO(content)), "t.csv")


def with_row(fields, columns=FER2013, number=4):
    """A good table but for some fields of data row `number`."""
    names = [column.strip().lower() for column in columns]
    lines = lines_of(columns)
    cells = lines[number].split(",")
    for name, value in fields.items():
        cells[names.index(name)] = value
    lines[number] = ",".join(cells)
    return ("\n".join(lines) + "\n").encode()


def assert_same(dataset, other):
    for (_, split), (_, expected) in zip(dataset.splits(), other.splits(), strict=True):
        np.testing.assert_array_equal(split.images, expected.images)
        np.testing.assert_array_equal(split.labels, expected.labels)
