"""Reading FER2013 as a CSV table: one image a row, in the columns emotion, pixels and Usage.

A compiled kernel turns the 2,304 numbers of a row into an image. Nothing is guessed: a row that is
not quite right is an error that names it.
"""

import io
import re
from collections.abc import Callable, Iterator

import numpy as np

from minicnn.compiling.kernels import serial
from minicnn.data.dataset import EMOTION_NAMES, EMOTIONS, IMAGE_SIZE, SPLIT_NAMES, Split
from minicnn.data.sources.csv_rows import Rows
from minicnn.data.sources.quoting import listed, quoted
from minicnn.errors import InputError

_NUMBER = re.compile(r"0*([0-6])(\.0*)?")
_PIXELS = IMAGE_SIZE * IMAGE_SIZE
_TICK = 256  # rows from one word on the progress to the next


def read_csv(
    stream: io.BufferedReader, place: str, tick: Callable[[], None] = lambda: None
) -> tuple[dict[str, Split], tuple[str, ...]]:
    """The images and labels of ``fer2013.csv``, ``icml_face_data.csv`` or Kaggle's ``train.csv``.

    The columns may stand in any order, among others that are ignored; their names are compared
    without regard to case and surrounding spaces. Quoted fields, any kind of line end, blank lines
    and a byte-order mark are fine. An emotion is a number from 0 to 6 (also ``0.0``) or its name.

    Parameters
    ----------
    stream : io.BufferedReader
        The bytes of the table; encodings and separators as of `Rows`. Read once, from front to
        back.
    place : str
        What error messages call the table: its path.
    tick : callable, optional
        Called again and again while rows are read.

    Returns
    -------
    splits : dict of str to Split
        ``"train"``, ``"validation"`` and ``"test"``: the rows whose Usage is Training, PublicTest
        and PrivateTest (or another of `SPLIT_NAMES`), in the file's order, their sources
        ``"data row 1"`` and so on. A split without rows is empty. Without a column Usage all rows
        are training rows.
    notes : tuple of str
        What was assumed.

    Raises
    ------
    InputError
        The table or one of its rows is not as described; data rows count from 1 after the header.
    """
    rows = Rows(stream, place, ("emotion", "pixels", "Usage"))
    _require_columns(rows)
    images: dict[str, list[np.ndarray]] = {"train": [], "validation": [], "test": []}
    labels: dict[str, list[int]] = {split: [] for split in images}
    sources: dict[str, list[str]] = {split: [] for split in images}
    for emotion, pixels, usage in rows:
        label = _label(emotion or "", rows)
        split = "train" if usage is None else _split(usage, rows)
        images[split].append(_image(pixels or "", rows))
        labels[split].append(label)
        sources[split].append(f"data row {rows.row}")
        if rows.row % _TICK == 0:
            tick()
    _require_some(rows)
    notes = () if rows.has("Usage") else (
        f"The table has no column Usage: all of its {rows.row:,} rows were taken for training.",
    )
    return {
        split: Split(
            np.array(images[split], np.uint8).reshape(-1, IMAGE_SIZE, IMAGE_SIZE),
            np.array(labels[split], np.int64),
            np.array(sources[split], str),
        )
        for split in images
    }, notes


def read_pictures_of_csv(
    stream: io.BufferedReader, place: str, tick: Callable[[], None] = lambda: None
) -> tuple[np.ndarray, bool]:
    """The images of a table alone, with labels or without, as of Kaggle's ``test.csv``.

    Parameters
    ----------
    stream, place, tick
        As of `read_csv`; no column but ``pixels`` is looked at.

    Returns
    -------
    images : ndarray, uint8 (N, 48, 48)
        One a data row, in the file's order.
    labelled : bool
        Whether there is a column ``emotion`` too.

    Raises
    ------
    InputError
        As of `read_csv`.
    """
    rows = Rows(stream, place, ("emotion", "pixels"))
    _require_pixels(rows)
    images = np.array(list(_images(rows, tick)), np.uint8).reshape(-1, IMAGE_SIZE, IMAGE_SIZE)
    _require_some(rows)
    return images, rows.has("emotion")


def _images(rows: Rows, tick: Callable[[], None]) -> Iterator[np.ndarray]:
    for _, pixels in rows:
        yield _image(pixels or "", rows)
        if rows.row % _TICK == 0:
            tick()


def _require_columns(rows: Rows) -> None:
    _require_pixels(rows)
    if not rows.has("emotion"):
        raise InputError(
            f"{rows.place}: expected one column emotion, found 0 among {listed(rows.header)}: "
            "these are pictures without labels, which a trained network can answer for (predict), "
            "but none can be trained or measured on"
        )


def _require_pixels(rows: Rows) -> None:
    if rows.has("pixels"):
        return
    found = [heading.strip().casefold() for heading in rows.header]
    if "image name" in found and "contempt" in found:
        raise InputError(
            f"{rows.place}: expected pictures (a column pixels), got FERPlus' votes for them: the "
            "pictures stand in fer2013.csv, in the same order; give that table, whose own labels "
            "are used"
        )
    raise InputError(
        f"{rows.place}: expected one column pixels, found 0 among {listed(rows.header)} (of a "
        "table that names files, give the folder: train/<emotion>/)"
    )


def _require_some(rows: Rows) -> None:
    if rows.row == 0:
        raise InputError(f"{rows.place}: expected data rows, got a header and nothing after it")


def _label(text: str, rows: Rows) -> int:
    text = text.strip()
    if number := _NUMBER.fullmatch(text):
        return int(number[1])
    if emotion := EMOTION_NAMES.get(text.casefold()):
        return EMOTIONS.index(emotion)
    raise rows.error(
        f"expected an emotion from 0 to 6, got {quoted(text)}", cut=rows.ends_with("emotion")
    )


def _split(usage: str, rows: Rows) -> str:
    split = SPLIT_NAMES.get(usage.strip().casefold())
    if split is None:
        raise rows.error(
            f"expected Usage Training, PublicTest or PrivateTest (or train, validation, test), got "
            f"{quoted(usage)}",
            cut=rows.ends_with("Usage"),
        )
    return split


def _image(text: str, rows: Rows) -> np.ndarray:
    """The image that a row's pixel text spells, uint8 ``(2304,)``."""
    encoded = text.encode()
    pixels = np.empty(_PIXELS, np.uint8)
    count, refused = _parse_pixels(np.frombuffer(encoded, np.uint8), pixels)
    last = rows.ends_with("pixels")
    if refused >= 0:
        wrong = encoded.split()[refused].decode()
        raise rows.error(
            f"pixel {refused + 1}: expected a whole number from 0 to 255, got {quoted(wrong)}",
            cut=last,
        )
    if count != _PIXELS:
        raise rows.error(f"expected {_PIXELS} pixels, got {count}", cut=last and count < _PIXELS)
    return pixels


@serial
def _parse_pixels(text: np.ndarray, pixels: np.ndarray) -> tuple[int, int]:
    """Read numbers from 0 to 255 between ASCII white space into `pixels`.

    Parameters
    ----------
    text : ndarray, uint8 (L,)
        ASCII digits and white space.
    pixels : ndarray, uint8 (P,)
        Takes the first P numbers.

    Returns
    -------
    count : int
        How many words the text has.
    refused : int
        Which word, from 0, is the first that is not a number from 0 to 255; -1 if all are.
    """
    count, refused = 0, -1
    value = -1  # the number so far; -1 between words, 256 for whatever is not a pixel
    for at in range(text.size + 1):
        character = text[at] if at < text.size else 32
        if character == 32 or 9 <= character <= 13:
            if value > 255 and refused < 0:
                refused = count
            if 0 <= value <= 255 and count < pixels.size:
                pixels[count] = value
            if value >= 0:
                count += 1
            value = -1
        elif 48 <= character <= 57:
            value = min(max(value, 0) * 10 + character - 48, 256)
        else:
            value = 256
    return count, refused
