"""Folding what is said of a function: prose between words, an equation where it can be read on."""

import re
import textwrap
from collections.abc import Callable, Sequence

_FORMULA = re.compile(r"[([][\d, ]+[)\]]|\S+(?: [-+=*/·×] \S+)+")
"""What is not torn apart in prose: a shape, terms and what stands between them."""

_NO_BREAK = "\u00a0"
"""A blank at which no line is folded."""

_DEEPER = "    "
"""Before the further lines of one equation."""


def fold_prose(text: str, width: int) -> list[str]:
    """Lines of at most this width; a shape or a short formula stands in one of them."""

    def whole(found: re.Match[str]) -> str:
        return found[0].replace(" ", _NO_BREAK) if len(found[0]) <= width else found[0]

    lines = textwrap.wrap(_FORMULA.sub(whole, text), width, break_on_hyphens=False)
    return [line.replace(_NO_BREAK, " ") for line in lines]


def fold_equation(text: str, width: int) -> list[str]:
    """An equation on lines of at most this width, the further ones deeper.

    It is broken before the next that it states (``T1 = …, T2 = …``), else before an operator that
    stands outside of brackets, else at a blank.
    """
    if len(text) <= width:
        return [text]
    ways: list[Callable[[str], list[str]]] = [_at_statements, _at_operators, _at_blanks, str.split]
    first, *rest = _broken(text, max(width - len(_DEEPER), 1), ways)
    return [first, *(_DEEPER + line for line in rest)]


def _broken(text: str, width: int, ways: Sequence[Callable[[str], list[str]]]) -> list[str]:
    """As many parts in a line as fit; one that is too long itself is broken in the next way."""
    if len(text) <= width or not ways:
        return [text]
    lines = [""]
    for part in ways[0](text):
        if len(lines[-1]) + 1 + len(part) <= width:
            lines[-1] = f"{lines[-1]} {part}".lstrip()
        else:
            lines += _broken(part, width, ways[1:])
    return [line for line in lines if line]


def _at_statements(text: str) -> list[str]:
    return _outside_brackets(text, r"\S+ = ", after=",")


def _at_operators(text: str) -> list[str]:
    return _outside_brackets(text, r"[-+=*·/] ")


def _at_blanks(text: str) -> list[str]:
    return _outside_brackets(text, "")


def _outside_brackets(text: str, following: str, after: str = "") -> list[str]:
    """Split at blanks that stand in no bracket, behind a text and where a pattern follows."""
    parts, depth, begin = [], 0, 0
    for at, character in enumerate(text):
        depth += (character in "([") - (character in ")]")
        here = character == " " and depth == 0 and text[:at].endswith(after)
        if here and re.match(following, text[at + 1 :]):
            parts.append(text[begin:at])
            begin = at + 1
    return [*parts, text[begin:]]
