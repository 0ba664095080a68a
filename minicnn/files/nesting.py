"""How deep tables and lists lie inside one another in a file's values."""

from collections.abc import Iterable
from typing import Any

MOST_NESTED = 20
"""Tables and lists that may lie inside one another; an experiment and a model need seven."""


def too_deep(values: Any) -> bool:
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
