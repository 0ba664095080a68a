"""An exception of a student's file in one line: where it came from, and what to write instead."""

import linecache
import traceback
from pathlib import Path

from minicnn.checking.students.loading import python2

LONGEST = 300
"""Characters of an exception's own text that are shown."""


def describe(error: BaseException, path: Path) -> str:
    """An exception as one line, with the line of the student's file that it came from.

    Parameters
    ----------
    error : BaseException
    path : Path
        The file. In a notebook the line is one of a cell: ``"cell 3, line 4"``. Where a file beside
        it raised, that one's line is named too.
    """
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        return _syntax(error, path)
    name = type(error).__name__
    try:
        text = " ".join(str(error).split())
    except Exception:
        text = "(its text cannot be had)"
    text = text if len(text) <= LONGEST else text[:LONGEST] + " …"
    where = _where(error, path)
    return (f"{where}{': ' if where else ''}{name}{': ' if text else ''}{text}"
            f"{python2.hint(error, text)}")


def _syntax(error: SyntaxError, path: Path) -> str:
    """A refusal of Python's grammar, in the file itself or in one that it imports."""
    filename = str(error.filename)
    text = "".join(linecache.getlines(filename))
    what = python2.describe_syntax(error, text) or f"{type(error).__name__}: {error.msg}"
    if _label(filename, path) is not None:
        return f"{_place(filename, int(error.lineno or 0), path)}: {what}"
    importer = _where(error, path)
    there = f"{Path(filename).name}, line {error.lineno}: {what}"
    return f"{importer}: {there}" if importer else there


def _where(error: BaseException, path: Path) -> str:
    """The last line of the file that was running, and of one beside it that it had called."""
    own, beside = "", ""
    for frame in traceback.extract_tb(error.__traceback__):
        if _label(frame.filename, path) is not None:
            own, beside = _place(frame.filename, int(frame.lineno or 0), path), ""
        elif path.parent in Path(frame.filename).parents:
            beside = f"{Path(frame.filename).name}, line {frame.lineno}"
    return f"{own} ({beside})" if own and beside else own or beside


def _place(filename: str, line: int, path: Path) -> str:
    """``"line 4"``, and of a notebook ``"cell 3, line 4"``."""
    return f"{_label(filename, path)}line {line}"


def _label(filename: str, path: Path) -> str | None:
    """What stands before a line's number; None for another file."""
    if filename == str(path):
        return ""
    cell = filename.removeprefix(f"{path}, ")
    return f"{cell}, " if cell != filename else None
