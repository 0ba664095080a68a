"""Reading FER2013 as a CSV table: one image a row, in the columns emotion, pixels and Usage.

The csv module finds rows and fields, one row at a time; a compiled kernel turns the 2,304 numbers
of a row into an image. Nothing is guessed: a row that is not quite right is an error that names it.
"""

import codecs
import csv
import io
from collections.abc import Iterator

import numpy as np
from numba import njit

from minicnn.data.dataset import EMOTIONS, IMAGE_SIZE, USAGES, Split
from minicnn.data.sources.quoting import listed, quoted
from minicnn.errors import InputError

_COLUMNS = ("emotion", "pixels", "Usage")
_LABELS = {str(label): label for label in range(len(EMOTIONS))}
_PIXELS = IMAGE_SIZE * IMAGE_SIZE
_LONGEST_ROW = 1 << 19  # characters; fifty times a row of pixels


def read_csv(stream: io.BufferedReader, place: str) -> dict[str, Split]:
    """The images and labels of ``fer2013.csv`` or ``icml_face_data.csv``.

    The columns may stand in any order, among others that are ignored; their names are compared
    without regard to case and surrounding spaces. Quoted fields, any kind of line end, blank lines
    and a byte-order mark are fine.

    Parameters
    ----------
    stream : io.BufferedReader
        The bytes of the table, UTF-8. Read once, from front to back.
    place : str
        What error messages call the table: its path.

    Returns
    -------
    dict of str to Split
        ``"train"``, ``"validation"`` and ``"test"``: the rows whose Usage is Training, PublicTest
        and PrivateTest, in the file's order, their sources ``"data row 1"`` and so on. A split
        without rows is empty.

    Raises
    ------
    InputError
        The table or one of its rows is not as described; data rows count from 1 after the header.
    """
    table = _Table(stream, place)
    images: dict[str, list[np.ndarray]] = {split: [] for split in USAGES.values()}
    labels: dict[str, list[int]] = {split: [] for split in USAGES.values()}
    sources: dict[str, list[str]] = {split: [] for split in USAGES.values()}
    for emotion, pixels, usage in table:
        label = _LABELS.get(emotion.strip())
        if label is None:
            raise table.error(f"expected an emotion from 0 to 6, got {quoted(emotion)}")
        split = USAGES.get(usage.strip().casefold())
        if split is None:
            raise table.error(
                f"expected Usage Training, PublicTest or PrivateTest, got {quoted(usage)}"
            )
        images[split].append(_image(pixels, table))
        labels[split].append(label)
        sources[split].append(f"data row {table.row}")
    if table.row == 0:
        raise InputError(f"{place}: expected data rows, got a header and nothing after it")
    return {
        split: Split(
            np.array(images[split], np.uint8).reshape(-1, IMAGE_SIZE, IMAGE_SIZE),
            np.array(labels[split], np.int64),
            np.array(sources[split], str),
        )
        for split in images
    }


class _Table:
    """The data rows of a CSV table, each as its emotion, pixels and Usage; knows where it stands.

    Parameters
    ----------
    stream : io.BufferedReader
        The bytes of the table.
    place : str
        What error messages call it.
    """

    def __init__(self, stream: io.BufferedReader, place: str) -> None:
        _require_text(stream, place)
        # An undecodable byte becomes the text \xff, and is refused with the field it stands in.
        self._text = io.TextIOWrapper(stream, "utf-8-sig", "backslashreplace", newline="")
        self._lines = csv.reader(self._short_lines(), strict=True, skipinitialspace=True)
        self._taken = 0  # characters since the last row, blank lines among them
        self.place = place
        self.row = 0
        header = self._next_line("the header")
        if header is None:
            raise InputError(f"{place}: expected a CSV table, got an empty file")
        self._header = header
        self._columns = [self._column(name) for name in _COLUMNS]

    def __iter__(self) -> Iterator[tuple[str, ...]]:
        while (fields := self._next_line(f"data row {self.row + 1}")) is not None:
            self.row += 1
            if len(fields) != len(self._header):
                raise self.error(f"expected {len(self._header)} fields, got {len(fields)}")
            yield tuple(fields[column] for column in self._columns)
        self._text.detach()  # the stream is its owner's to close

    def error(self, problem: str) -> InputError:
        """The error that says what is wrong with the current row, and whether it is the last."""
        ending = " (the last row: is the file cut short?)" if self._at_end() else ""
        return InputError(f"{self.place}: data row {self.row}: {problem}{ending}")

    def _short_lines(self) -> Iterator[str]:
        """The lines of the text, until there are too many characters for one row."""
        while line := self._text.readline(_LONGEST_ROW + 1):
            self._taken += len(line)
            if self._taken > _LONGEST_ROW:
                raise InputError(
                    f"{self.place}: after data row {self.row}: expected a row of at most "
                    f"{_LONGEST_ROW:,} characters, got a longer one, or as many blank lines"
                )
            yield line

    def _next_line(self, what: str) -> list[str] | None:
        """The fields of the next line that is not blank, None at the end of the file."""
        self._taken = 0
        fields: list[str] | None = []
        while fields == []:
            start = self._lines.line_num
            try:
                fields = next(self._lines, None)
            except csv.Error as error:
                reason = _reason(error, self._lines.line_num - start)
                raise InputError(f"{self.place}: {what}: {reason}") from None
        return fields

    def _column(self, name: str) -> int:
        """Where the column `name` stands."""
        found = [heading.strip().casefold() for heading in self._header]
        if found.count(name.casefold()) != 1:
            raise InputError(
                f"{self.place}: expected one column {name}, found {found.count(name.casefold())}"
                f" among {listed(self._header)}"
            )
        return found.index(name.casefold())

    def _at_end(self) -> bool:
        try:
            return next(self._lines, None) is None
        except (csv.Error, InputError):
            return False


def _reason(error: csv.Error, lines: int) -> str:
    """Why the csv module refuses a row that it has read so many lines of.

    A field reaches over the end of a line only inside quotes, so that one which is too long and
    does so probably lacks its closing quote.
    """
    if "field limit" in str(error) and lines == 1:
        most = csv.field_size_limit()
        return f"expected fields of at most {most} characters, got a longer one"
    return f"expected quotes in pairs, got a quote that does not close its field ({error})"


def _require_text(stream: io.BufferedReader, place: str) -> None:
    """Refuse binary data by its first bytes: a NUL, or something that is not UTF-8."""
    head = stream.peek()
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
        is_text = b"\0" not in head
    except UnicodeDecodeError:
        is_text = False
    if not is_text:
        raise InputError(
            f"{place}: expected a CSV table (UTF-8 text), got binary data that begins {head[:8]!r}"
        )


def _image(text: str, table: _Table) -> np.ndarray:
    """The image that a row's pixel text spells, uint8 ``(2304,)``."""
    encoded = text.encode()
    pixels = np.empty(_PIXELS, np.uint8)
    count, refused = _parse_pixels(np.frombuffer(encoded, np.uint8), pixels)
    if refused >= 0:
        wrong = encoded.split()[refused].decode()
        raise table.error(
            f"pixel {refused + 1}: expected a whole number from 0 to 255, got {quoted(wrong)}"
        )
    if count != _PIXELS:
        raise table.error(f"expected {_PIXELS} pixels, got {count}")
    return pixels


@njit(cache=True, nogil=True, error_model="numpy")
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
