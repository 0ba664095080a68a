"""Foreign text inside a one-line message: quoted, escaped and cut to a readable length."""

from collections.abc import Iterable

_LONGEST_TEXT = 60
_MOST_NAMES = 8


def quoted(text: str) -> str:
    """`text` in quotes, control characters escaped, cut after 60 characters."""
    return repr(text if len(text) <= _LONGEST_TEXT else text[:_LONGEST_TEXT] + "…")


def listed(names: Iterable[str]) -> str:
    """The first eight names, quoted, and how many more there are; ``"nothing"`` without any."""
    names = list(names)
    if not names:
        return "nothing"
    more = len(names) - _MOST_NAMES
    shown = ", ".join(quoted(name) for name in names[:_MOST_NAMES])
    return f"{shown} and {more} more" if more > 0 else shown
