"""Examining a sandwich layer beside the layers it calls: their faults are not its own."""

import functools
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from minicnn.checking.students.course_layers import called_layers, right_layers
from minicnn.checking.students.dialects.sandwiches import GIVEN
from minicnn.checking.students.examination.examination import Examination
from minicnn.checking.students.finding import Finding
from minicnn.checking.students.operations.case import Case, upstream
from minicnn.checking.students.operations.observation import agree
from minicnn.checking.students.operations.sandwich import Sandwich
from minicnn.checking.students.pair import Pair
from minicnn.checking.students.subject import Subject, Trouble


class SandwichExamination(Examination):
    """With right layers inside; where that fails, as it stands in the file."""

    operation: Sandwich

    def __init__(self, operation: Sandwich, subject: Subject) -> None:
        pair = subject.pair
        if operation.name not in GIVEN:
            pair = _in_our_order(operation, subject)
        super().__init__(operation, _WithRightLayers(pair, subject.path))
        subject.changes = self.subject.changes
        self.as_written = Examination(operation, Subject(pair, subject.path))

    def findings(self) -> Iterator[Finding]:
        written = self.as_written.findings()
        for found, beside in zip(super().findings(), written, strict=True):
            right = found.verdict == "correct"
            if right and beside.verdict != "correct" and not found.message:
                found.message = f"note: {self._about_layers(found.function, beside)}"
            as_it_stands = not right and (
                beside.verdict == "correct"
                or not (found.verdict.startswith("wrong") or _cannot_run(beside))
            )
            yield beside if as_it_stands else found

    def _about_layers(self, name: str, beside: Finding) -> str:
        """Which of the layers that it calls make its results wrong."""
        missing = re.search(r"name '(\w+)' is not defined", beside.message)
        if missing is not None:
            where = " (it belongs to the course's fast_layers)" if "fast" in missing[1] else ""
            return f"it is right itself; {missing[1]}, which it calls, is not defined here{where}"
        module = re.search(r"No module named '([\w.]+)'", beside.message)
        if module is not None:
            return f"it is right itself; it calls layers of {module[1]}, which is not here"
        pair = self.subject.pair
        functions = [each for each in (pair.forward, *pair.backwards.values()) if each is not None]
        called = dict.fromkeys(layer for each in functions for layer in called_layers(each))
        guilty = [layer for layer in called if not self._is_right_with(name, layer)]
        if guilty:
            return f"it is right itself, but not the {' and '.join(guilty)} that it calls"
        return f"it is right itself, but not what it calls: {beside.message}"

    def _is_right_with(self, name: str, layer: str) -> bool:
        """Whether the answers stay right where this one layer is the file's own."""
        subject = _WithRightLayers(self.subject.pair, self.subject.path, but=layer)
        beside = Examination(self.operation, subject)
        found = beside.judge_backward(name, True) if name in self.subject.pair.backwards \
            else beside.judge_forward()
        return found.verdict == "correct"


def _cannot_run(finding: Finding) -> bool:
    """Whether a function could not be run because of what is not in the file, or of its forward."""
    return finding.verdict == "not-checked" or "is not defined" in finding.message


class _WithRightLayers(Subject):
    """A sandwich that calls right layers, but for one name."""

    def __init__(self, *arguments: Any, but: str = "") -> None:
        super().__init__(*arguments)
        self.but = but

    def _call(
        self, name: str, function: Callable[..., Any], positional: tuple, keywords: dict[str, Any]
    ) -> Any:
        with right_layers(function, self.but):
            return super()._call(name, function, positional, keywords)

    def order_of_gradients(self, name: str, operation: Sandwich) -> list[int] | None:
        """Where in what a backward returns each gradient stands, if all are there."""
        case = operation.cases[0]
        dy = upstream(operation.right_forward(case).shape)
        given = (self.convention.theirs("y", dy), self.forward(case).cache)
        came = self._call(name, self.pair.backwards[name], given, {})
        if not isinstance(came, tuple | list) or len(came) != len(operation.gradients):
            return None
        arrays = [self.array(name, "a gradient", each) for each in came]
        order = []
        for key, right in zip(
            operation.gradients, operation.right_gradients(case, dy), strict=True
        ):
            order += [
                place for place, array in enumerate(arrays)
                if _is(operation, key, case, dy, self.convention.ours(key, array), right)
            ][:1]
        return order if len(set(order)) == len(arrays) else None


def _is(
    operation: Sandwich, key: str, case: Case, dy: np.ndarray, came: np.ndarray, right: np.ndarray
) -> bool:
    also = operation.also_right.get(key)
    return agree(came, right) or (also is not None and also(case, dy, came))


def _in_our_order(operation: Sandwich, subject: Subject) -> Pair:
    """A pair whose backwards return their gradients in our order: a student's own sandwich may
    have another."""
    with_right_layers = _WithRightLayers(subject.pair, subject.path)
    backwards = dict(subject.pair.backwards)
    for name, function in backwards.items():
        try:
            order = with_right_layers.order_of_gradients(name, operation)
        except Trouble:
            continue
        if order is not None:
            backwards[name] = _reordered(function, order)
    return replace(subject.pair, backwards=backwards)


def _reordered(function: Callable[..., Any], order: list[int]) -> Callable[..., Any]:
    @functools.wraps(function)
    def backward(*arguments: Any) -> tuple:
        came = function(*arguments)
        return tuple(came[place] for place in order)

    return backward
