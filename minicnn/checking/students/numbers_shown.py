"""The smallest input that shows a fault, and both answers, as lines of text."""

from typing import Any

import numpy as np

MOST_NUMBERS = 28
"""Arrays of more, all together, are not shown; `Finding.as_dict` has them."""


def lines_of_numbers(evidence: dict[str, Any], width: int) -> list[str]:
    """What was given, what should come, and what came; or the worst elements of large arrays.

    Parameters
    ----------
    evidence : dict
        Of a `Finding`.
    width : int
        Characters in a line.
    """
    if "input" not in evidence or "expected" not in evidence:
        return []
    of = evidence["of"]
    given, told = _that_matter(of, evidence["input"], evidence.get("settings", {}))
    settings = [[f"{name} = {value}"] for name, value in told.items()]
    every = [*given.values(), evidence["expected"], evidence["received"]]
    if sum(map(_size, every)) <= MOST_NUMBERS:
        arrays = [_array(f"{name}{{}} = ", value, width - 6) for name, value in given.items()]
        return [
            *_behind("with ", arrays + settings, width),
            *_answers(of, evidence["expected"], evidence["received"], width),
        ]
    if "worst" not in evidence:
        return []
    shapes = [[f"{name} of shape {np.shape(value)}"] for name, value in given.items()]
    return [
        *_behind("with ", shapes + settings, width),
        *(
            f"{of}{each['index'] or ''} should be {_short(each['expected'])}, "
            f"got {_short(each['received'])}"
            for each in evidence["worst"]
        ),
    ]


def _that_matter(
    of: str, given: dict[str, Any], settings: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Without running statistics, where those of the batch are used."""
    evaluates = settings.get("training") is False or settings.get("mode") == "test"
    if evaluates or of.startswith("running_"):
        return given, settings
    return (
        {name: value for name, value in given.items() if not name.startswith("running_")},
        {name: value for name, value in settings.items() if name != "momentum"},
    )


def _size(value: Any) -> int:
    return sum(map(_size, value)) if isinstance(value, list) else 1


def _behind(head: str, items: list[list[str]], width: int) -> list[str]:
    """Things behind a word, as many in a line as fit; one of several lines stands alone."""
    lines: list[str] = []
    alone = True
    for number, item in enumerate(items):
        comma = "," if number < len(items) - 1 else ""
        rows = [*item[:-1], item[-1] + comma]
        if not alone and len(rows) == 1 and len(lines[-1]) + 1 + len(rows[0]) <= width:
            lines[-1] += f" {rows[0]}"
        else:
            lines += [" " * len(head) + row for row in rows]
        alone = len(rows) > 1
    return [head + lines[0].lstrip(), *lines[1:]]


def _answers(of: str, expected: Any, received: Any, width: int) -> list[str]:
    """The right answer, and below it the one that came."""
    index = "{}" if np.shape(expected) == np.shape(received) else ""
    right, came = (_array(f"{of}{index} should be ", value, width)
                   for value in (expected, received))
    head, verb, _ = right[0].partition("should be")
    rest = came[0].partition(verb)[2]
    return [*right, f"{'got':>{len(head + verb)}}{rest}", *came[1:]]


def _array(head: str, value: Any, width: int) -> list[str]:
    """``x = [[1], [4]]``, or the rows of a larger array as NumPy shows them.

    Of more than two axes those of one element become an index: ``w[0, 0, :, :] = ``; it stands in
    the braces of the head.
    """
    array = np.array(value, dtype=object)
    flat = head.replace("{}", "") + _short(value)
    if len(flat) <= width and sum(length > 1 for length in array.shape) <= 1:
        return [flat]
    index = ""
    if "{}" in head and array.ndim > 2 and 1 in array.shape:
        index = f"[{', '.join(':' if length > 1 else '0' for length in array.shape)}]"
        array = array.squeeze()
    head = head.replace("{}", index)
    rows = _rows(array, width - len(head))
    if len(head) + max(map(len, rows)) > width:
        return [head.rstrip(), *(f"  {row}" for row in _rows(array, width - 2))]
    return [head + rows[0], *(" " * len(head) + row for row in rows[1:])]


def _rows(array: np.ndarray, width: int) -> list[str]:
    """An array as NumPy shows it, its columns below each other."""
    texts = np.array([_short(each) for each in array.flat])
    texts = np.char.rjust(texts, int(np.char.str_len(texts).max()))
    shown = np.array2string(
        texts.reshape(array.shape), max_line_width=max(width, 1), formatter={"all": str})
    return [row for row in shown.splitlines() if row]


def _short(value: Any) -> str:
    """Numbers to six digits, whole ones without a point."""
    if isinstance(value, list):
        return f"[{', '.join(map(_short, value))}]"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
