"""Reading TOML, whatever the file turns out to hold."""

import os
import tomllib
from typing import Any

from minicnn.errors import InputError
from minicnn.files.nesting import MOST_NESTED, too_deep
from minicnn.files.reading import read_limited

MOST_BYTES = 2**16
"""Of a file; the built-in experiments have a hundredth of it."""

MOST_DOTS = 200
"""Of a line: tomllib takes minutes over a dotted key of thousands of parts."""


def read_toml(path: str | os.PathLike, what: str) -> dict[str, Any]:
    """The tables and values of a TOML file of at most `MOST_BYTES`.

    Parameters
    ----------
    path : path
    what : str
        What the file should be, for error messages.

    Raises
    ------
    InputError
        Where there is no such file, it is too large, or as `parse_toml`.
    """
    return parse_toml(read_limited(path, what, MOST_BYTES), os.fspath(path))


def parse_toml(content: bytes, where: str) -> dict[str, Any]:
    """The tables and values of a TOML file.

    Parameters
    ----------
    content : bytes
        Of the file: UTF-8, with or without a byte-order mark.
    where : str
        What error messages call it: its path.

    Returns
    -------
    dict
        As `tomllib` gives them.

    Raises
    ------
    InputError
        Where the content is not TOML, nested more than `MOST_NESTED` deep, or has a line of more
        than `MOST_DOTS` dots.
    """
    dots = max((line.count(b".") for line in content.splitlines()), default=0)
    if dots > MOST_DOTS:
        raise InputError(f"{where}: expected at most {MOST_DOTS} dots in a line, got {dots}")
    try:
        values = tomllib.loads(content.decode("utf-8-sig"))
    except ValueError as error:  # not UTF-8, not TOML, or a number that is too long for Python
        raise InputError(f"{where}: expected TOML, got something else: {error}") from error
    except RecursionError:
        values = None
    if values is None or too_deep(values):
        raise InputError(
            f"{where}: expected tables and lists at most {MOST_NESTED} deep, got deeper ones"
        )
    return values

