"""Reading TOML, whatever the file turns out to hold."""

import tomllib
from collections.abc import Iterable
from typing import Any

from minicnn.errors import InputError

MOST_NESTED = 20
"""Tables and lists that may lie inside one another; an experiment needs five."""


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
        Where the content is not TOML, or nested more than `MOST_NESTED` deep.
    """
    try:
        values = tomllib.loads(content.decode("utf-8-sig"))
    except ValueError as error:  # not UTF-8, not TOML, or a number that is too long for Python
        raise InputError(f"{where}: expected TOML, got something else: {error}") from error
    except RecursionError:
        values = None
    if values is None or _too_deep(values):
        raise InputError(
            f"{where}: expected tables and lists at most {MOST_NESTED} deep, got deeper ones"
        )
    return values


def _too_deep(values: dict[str, Any]) -> bool:
    """Whether tables and lists are nested more than `MOST_NESTED` deep."""
    level: list[Any] = [values]
    for _ in range(MOST_NESTED):
        level = [inner for value in level for inner in _inside(value)]
    return any(isinstance(value, dict | list) for value in level)


def _inside(value: Any) -> Iterable[Any]:
    """What a table or a list holds; nothing of any other value."""
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
