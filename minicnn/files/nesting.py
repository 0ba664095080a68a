"""Tables and lists inside one another in a file's values: how deep, and under which dotted key."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

MOST_NESTED = 20
"""Tables and lists that may lie inside one another; an experiment and a model need seven."""


def too_deep(values: Any) -> bool:
    """Whether tables and lists are nested more than `MOST_NESTED` deep."""
    level: list[Any] = [values]
    for _ in range(MOST_NESTED):
        level = [inner for value in level for inner in _inside(value)]
    return any(isinstance(value, dict | list) for value in level)


def dotted(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """All values of a nested table with their dotted keys: ``("optimizer.lr", 0.001)``.

    Parameters
    ----------
    table : mapping of str to value
    prefix : str, default ""
        Stands before each key.

    Yields
    ------
    (str, value)
        No value is a table; one without values leaves no trace.
    """
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from dotted(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _inside(value: Any) -> Iterable[Any]:
    """What a table or a list holds; nothing of any other value."""
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
