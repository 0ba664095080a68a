"""The rows of a CSV table, whatever its encoding and separator; each row knows where it stands."""

import codecs
import csv
import io
import re
from collections.abc import Iterator

from minicnn.data.sources.kinds import kind_of
from minicnn.data.sources.quoting import listed
from minicnn.errors import InputError

_LONGEST_ROW = 1 << 19  # characters; fifty times a row of pixels
_SEPARATORS = (",", ";", "\t")
_DECLARED = re.compile(r"sep=([,;\t])", re.IGNORECASE)  # Excel's first line
_MARKS = (  # UTF-32's before those of UTF-16 that begin alike
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)


class Rows:
    """The data rows of a CSV table: of each, the fields of the wanted columns.

    Parameters
    ----------
    stream : io.BufferedReader
        The bytes of the table: UTF-8, or UTF-16 or UTF-32 with a byte-order mark. Commas,
        semicolons or tabs stand between its fields, as its header shows or a line ``sep=;`` before
        it says.
    place : str
        What error messages call it.
    wanted : tuple of str
        The names of the columns, compared without regard to case and surrounding spaces.

    Attributes
    ----------
    header : list of str
    row : int
        The number of the current row, from 1 after the header; 0 before the first.
    """

    def __init__(self, stream: io.BufferedReader, place: str, wanted: tuple[str, ...]) -> None:
        encoding = _encoding(stream, place)
        # An undecodable byte becomes the text \xff, and is refused with the field it stands in.
        self._text = io.TextIOWrapper(stream, encoding, "backslashreplace", newline="")
        self._taken = 0  # characters since the last row, blank lines among them
        self.place = place
        self.row = 0
        lines = self._short_lines()
        first = next((line for line in lines if line.strip()), "")
        if declared := _DECLARED.fullmatch(first.rstrip("\r\n")):
            separator, first = declared[1], next(lines, "")
        else:
            separator = _separator(first)
        self._lines = csv.reader(
            _chained(first, lines), strict=True, skipinitialspace=True, delimiter=separator
        )
        header = self._next_line("the header")
        if header is None:
            raise InputError(f"{place}: expected a CSV table, got an empty file")
        self.header = header
        self._wanted = {name: self._column(name) for name in wanted}

    def __iter__(self) -> Iterator[tuple[str | None, ...]]:
        """Of each row the wanted fields, None for a column that the table does not have."""
        while (fields := self._next_line(f"data row {self.row + 1}")) is not None:
            self.row += 1
            if len(fields) != len(self.header):
                raise self.error(
                    f"expected {len(self.header)} fields, got {len(fields)}",
                    cut=len(fields) < len(self.header),
                )
            yield tuple(
                None if column is None else fields[column] for column in self._wanted.values()
            )
        self._text.detach()  # the stream is its owner's to close

    def has(self, name: str) -> bool:
        """Whether the table has this wanted column."""
        return self._wanted[name] is not None

    def ends_with(self, name: str) -> bool:
        """Whether this wanted column is the last one: a file that is cut short ends in it."""
        return self._wanted[name] == len(self.header) - 1

    def error(self, problem: str, *, cut: bool) -> InputError:
        """The error that says what is wrong with the current row.

        Where the end of the file may be missing (`cut`) and this row is the last, it asks so.
        """
        ending = " (the last row: is the file cut short?)" if cut and self._at_end() else ""
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

    def _column(self, name: str) -> int | None:
        """Where the column `name` stands; None where there is none."""
        found = [heading.strip().casefold() for heading in self.header]
        count = found.count(name.casefold())
        if count > 1:
            raise InputError(
                f"{self.place}: expected one column {name}, found {count} among "
                f"{listed(self.header)}"
            )
        return found.index(name.casefold()) if count else None

    def _at_end(self) -> bool:
        try:
            return next(self._lines, None) is None
        except (csv.Error, InputError):
            return False


def _chained(first: str, rest: Iterator[str]) -> Iterator[str]:
    if first:
        yield first
    yield from rest


def _separator(header: str) -> str:
    """What stands between the fields of a header: whatever it holds most of, commas at a tie."""
    return max(_SEPARATORS, key=header.count)


def _reason(error: csv.Error, lines: int) -> str:
    """Why the csv module refuses a row that it has read so many lines of.

    A field reaches over the end of a line only inside quotes, so that one which is too long and
    does so probably lacks its closing quote.
    """
    if "field limit" in str(error) and lines == 1:
        most = csv.field_size_limit()
        return f"expected fields of at most {most} characters, got a longer one"
    return f"expected quotes in pairs, got a quote that does not close its field ({error})"


def _encoding(stream: io.BufferedReader, place: str) -> str:
    """The encoding of a table by its first bytes; refuse what is no text."""
    head = stream.peek()
    if kind := kind_of(head):
        raise InputError(f"{place}: expected a CSV table, got {kind}")
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
        is_text = b"\0" not in head
    except UnicodeDecodeError:
        is_text = False
    if not is_text:
        raise InputError(
            f"{place}: expected a CSV table (UTF-8 text), got binary data that begins {head[:8]!r}"
        )
    return "utf-8-sig"
