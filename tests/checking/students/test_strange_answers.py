"""No answer of a student's function, however strange, makes the examination itself fail."""

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from submission_checks import SUBMISSIONS

from minicnn.checking.students.examination import examine
from minicnn.checking.students.loading.run import load
from minicnn.checking.students.pair import Pair
from minicnn.checking.students.subject import Subject
from minicnn.checking.students.submission import find_pairs

VERDICTS = {
    "correct", "wrong-forward", "wrong-backward", "error", "not-written", "not-checked"
}


class FailsAsAnArray:
    """Whoever asks for its numbers gets an error, and not of the ordinary kind."""

    def __array__(self, *arguments: Any, **options: Any) -> np.ndarray:
        raise KeyboardInterrupt


class FailsInEverything(tuple):
    """A tuple that cannot be counted, compared, shown or walked through."""

    def _fail(self, *arguments: Any) -> Any:
        raise ZeroDivisionError

    __len__ = __iter__ = __eq__ = __repr__ = __str__ = __getitem__ = __bool__ = _fail
    __hash__ = None  # type: ignore[assignment]


def _arrays(value: Any, change: Callable[[np.ndarray], Any]) -> Any:
    """A result with every array of floats in it changed."""
    if isinstance(value, tuple):
        return tuple(_arrays(each, change) for each in value)
    is_real = isinstance(value, np.ndarray | float) and np.asarray(value).dtype.kind == "f"
    return change(np.asarray(value)) if is_real else value


def _always(value: Any) -> Callable[[Any], Any]:
    return lambda right: value


def _changed(change: Callable[[np.ndarray], Any]) -> Callable[[Any], Any]:
    return lambda right: _arrays(right, change)


def _each(value: Any) -> Callable[[Any], Any]:
    """This value in every place of what is right."""
    return lambda right: tuple(value for _ in right) if isinstance(right, tuple) else value


def _poked(array: np.ndarray, value: float) -> np.ndarray:
    array = array.copy()
    array.flat[:1] = value
    return array


STRANGE: dict[str, Callable[[Any], Any]] = {
    "none": _always(None), "no tuple": _always(()), "a lone None": _always((None,)),
    "nested": _always(((1, 2), (3, (4, [5])))), "ten": _always((1.0,) * 10),
    "text": _each("dx"), "bytes": _each(b"dx"), "a number": _each(3.5), "a dict": _each({"dx": 1}),
    "a generator": _each(iter(())), "a function": _each(len), "a class": _each(int),
    "ragged": _each([[1.0], [2.0, 3.0]]), "an empty list": _each([]), "Nones": _each([None, None]),
    "no numbers": _each(np.zeros(0)), "no rows": _each(np.zeros((0, 3))),
    "six axes": _each(np.ones((1, 2, 1, 3, 1, 2))), "complex": _changed(lambda a: a * 1j),
    "objects": _changed(lambda a: a.astype(object)), "dates": _each(np.zeros(3, "M8[s]")),
    "records": _each(np.zeros(3, [("a", float)])), "masked": _changed(np.ma.masked_array),
    "fails as an array": _each(FailsAsAnArray()), "fails in everything": _always(
        FailsInEverything((1, 2, 3))),
    "whole numbers": _changed(lambda a: np.nan_to_num(a).astype(np.int8)),
    "booleans": _changed(lambda a: a > 0), "half": _changed(lambda a: a.astype(np.float16)),
    "long": _changed(lambda a: a.astype(np.longdouble) * np.longdouble("1e4000")),
    "lists": _changed(lambda a: a.tolist()), "transposed": _changed(lambda a: a.T),
    "reversed": _changed(lambda a: a[::-1] if a.ndim else a), "flat": _changed(np.ravel),
    "an axis more": _changed(lambda a: a[None]), "an axis behind": _changed(lambda a: a[..., None]),
    "squeezed": _changed(np.squeeze), "a row less": _changed(lambda a: a[1:] if a.ndim else a),
    "a matrix": _changed(lambda a: np.asmatrix(a) if a.ndim <= 2 else a),
    "broadcast": _changed(lambda a: np.broadcast_to(a[:1], a.shape) if a.ndim else a),
    "read-only": _changed(lambda a: np.broadcast_to(a, a.shape)),
    "NaN": _changed(lambda a: np.full(a.shape, np.nan)),
    "infinite": _changed(lambda a: np.full(a.shape, -np.inf)),
    "one NaN": _changed(lambda a: _poked(a, np.nan)),
    "one infinity": _changed(lambda a: _poked(a, np.inf)),
    "huge": _changed(lambda a: np.full(a.shape, 1e308)),
    "tiny": _changed(lambda a: a * 1e-310), "zeros": _changed(lambda a: a * 0),
    "the sum": _changed(lambda a: a.sum()), "exchanged": lambda right: (
        right[::-1] if isinstance(right, tuple) else right),
}
"""By name, what a function returns instead of what is right."""


def _answering(function: Callable[..., Any], change: Callable[[Any], Any]) -> Callable[..., Any]:
    """A function that runs, and returns something else."""

    def strange(*arguments: Any, **settings: Any) -> Any:
        return change(function(*arguments, **settings))

    strange.__wrapped__ = function  # type: ignore[attr-defined]  # its parameters
    return strange


def _changed_pairs(path: Path, change: Callable[[Any], Any]) -> Iterator[tuple[str, Pair]]:
    """Each pair of a file with one of its functions changed, and that one's name."""
    for pair in find_pairs(load(path)):
        if pair.forward is not None:
            yield pair.convention.forward, replace(pair, forward=_answering(pair.forward, change))
        for name, backward in pair.backwards.items():
            backwards = {**pair.backwards, name: _answering(backward, change)}
            yield name, replace(pair, backwards=backwards)


def examine_all(path: Path, strange: str) -> None:
    for name, pair in _changed_pairs(path, STRANGE[strange]):
        found = {finding.function: finding for finding in examine(Subject(pair, path))}
        assert set(found) == set(pair.names), name
        assert {finding.verdict for finding in found.values()} <= VERDICTS
        json.dumps([finding.as_dict() for finding in found.values()], allow_nan=False)


FILES = sorted(SUBMISSIONS.glob("*.py"))
SOME = list(zip(itertools.cycle(STRANGE), [file for file in FILES for _ in range(3)], strict=False))


@pytest.mark.parametrize(
    ("strange", "file"), SOME, ids=[f"{file.stem}-{strange}" for strange, file in SOME])
def test_the_examination_does_not_fail(strange: str, file: Path) -> None:
    examine_all(file, strange)


def test_every_strange_answer_is_tried() -> None:
    assert {strange for strange, _ in SOME} == set(STRANGE)
