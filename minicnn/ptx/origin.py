"""Where in the author's own file a line of PTX comes from, as the compiler's ``.loc`` tells."""

import re
from bisect import bisect_right
from pathlib import Path

_FILE = re.compile(r'\s*\.file\s+(\d+)\s+"([^"\n]*)"')
_PLACE = re.compile(r"\s*\.loc\s+(\d+)\s+(\d+)\b")


class Origin:
    """The lines of a PTX text, by those of the files that it was compiled from.

    Parameters
    ----------
    text : str
        PTX; without ``.loc`` its lines come from nowhere.
    """

    def __init__(self, text: str) -> None:
        self._files: dict[int, str] = {}
        self._lines: list[int] = []
        self._places: list[tuple[int, int]] = []
        if ".loc" not in text:
            return
        for number, line in enumerate(text.split("\n"), 1):
            if place := _PLACE.match(line):
                self._lines.append(number)
                self._places.append((int(place[1]), int(place[2])))
            elif file := _FILE.match(line):
                self._files[int(file[1])] = Path(file[2]).name

    def of(self, line: int) -> str:
        """``"file.py:12"`` for a line of the PTX; "" where it is not known."""
        before = bisect_right(self._lines, line)
        if not before:
            return ""
        file, place = self._places[before - 1]
        return f"{self._files.get(file, '?')}:{place}" if place else ""

    def named(self, line: int) -> str:
        """``"line 40 (file.py:12)"``, or ``"line 40"``."""
        place = self.of(line)
        return f"line {line} ({place})" if place else f"line {line}"
