"""Tables that are written line by line, so that nothing is lost where a section ends early."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any


class Table:
    """A CSV file that begins anew; each line is on the disk when `add` returns, and printed.

    Parameters
    ----------
    path : Path
    columns : sequence of str
    """

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self._path, self._columns = path, columns
        self._write("w", columns)

    def add(self, **values: Any) -> None:
        """A line; columns that are not named stay empty."""
        line = [shown(values.pop(column, "")) for column in self._columns]
        if values:
            raise TypeError(f"{self._path.name}: no columns {sorted(values)}")
        self._write("a", line)
        print("  " + "  ".join(word for word in line if word), flush=True)

    def _write(self, mode: str, line: Sequence[str]) -> None:
        with self._path.open(mode, newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerow(line)


def shown(value: Any) -> str:
    """A number with four digits; anything else as it is."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def read(path: Path) -> list[dict[str, str]]:
    """The lines of a table; none where it was not written."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
