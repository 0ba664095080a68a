"""Asking a pair of functions: cases that it can be given, and its answers beside the right ones."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from minicnn.checking.students.examination.experiments import explaining_twin
from minicnn.checking.students.examination.settings import is_possible
from minicnn.checking.students.loading.errors import describe
from minicnn.checking.students.operations.case import Case, upstream
from minicnn.checking.students.operations.observation import Observation, agree
from minicnn.checking.students.operations.operation import Operation, Suspect, Twin
from minicnn.checking.students.refusal import is_deliberate
from minicnn.checking.students.subject import Forward, Subject, Trouble


class Asking:
    """One pair on the cases of its operation."""

    def __init__(self, operation: Operation, subject: Subject) -> None:
        self.operation, self.subject = operation, subject
        self.convention = subject.convention
        self.cases = [case for case in operation.cases if self.is_possible(case)]
        self.let_pass: dict[str, None] = {}  # notes on what the dialect lets pass
        self.likely: str | None = None  # the fault of forward, which may show in backward too

    def is_possible(self, case: Case) -> bool:
        """Whether the student's function can be given this case."""
        return is_possible(self.subject, case)

    def may_be_refused(self, case: Case, trouble: Trouble) -> bool:
        """Whether a right implementation may raise so; CS231n's windows have two sizes, always."""
        both = isinstance(case.settings.get("size"), tuple) and self.convention.dialect == "cs231n"
        if not both and isinstance(trouble.cause, case.may_refuse):
            return True
        return bool(case.strange) and is_deliberate(trouble.cause, self.subject.path)

    def refused(self, case: Case, trouble: Trouble) -> None:
        """Keep a note on what the student refuses deliberately."""
        if case.strange and trouble.cause is not None:
            why = describe(trouble.cause, self.subject.path)
            self.let_pass[f"note: refuses {case.strange} ({why})"] = None

    def observations(
        self, function: str, keys: Sequence[str]
    ) -> dict[str, list[Observation]]:
        """What came on those cases that do not raise."""
        observations: dict[str, list[Observation]] = {key: [] for key in keys}
        for salt, case in enumerate(self.cases):
            with suppress(Trouble):
                for key, seen in self.observe(function, keys, case, salt):
                    observations[key].append(seen)
        return observations

    def observe(
        self, function: str, keys: Sequence[str], case: Case, salt: int = 0
    ) -> Iterator[tuple[str, Observation]]:
        """One case: y, or every gradient, beside the right one."""
        right = self.operation.right_forward(case)
        dy = upstream(right.shape, salt)
        forward = self.forward_for(dy, case) if keys != ("y",) else self.subject.forward(case)
        if keys == ("y",):
            yield "y", Observation(case, forward.y, right)
        else:
            received = self.subject.backward(function, dy, forward)
            yield from self.beside_right(case, dy, received)

    def suspects(self, key: str) -> list[Suspect]:
        """The catalogue's faults of y or a gradient."""
        if key == "y":
            return self.operation.forward_suspects
        return self.operation.backward_suspects.get(key, [])

    def experiment(self, function: str, key: str, keys: Sequence[str]) -> Twin | None:
        """What the failures of some gradients (or y) have in common, by trying cases that differ
        in one respect."""

        def is_right(case: Case) -> bool | None:
            every = ("y",) if key == "y" else self.convention.gradients
            try:
                seen = dict(self.observe(function, every, case, 1))
            except Trouble as trouble:
                if key != "y" and self.convention.lets_pass(
                    key, case, np.empty(0), trouble.cause
                ):
                    return None
                return self.may_be_refused(case, trouble)
            return all(seen[each].right for each in keys)

        return explaining_twin(self.operation.twins.get(key, []), self.cases, is_right)

    def forward_for(self, dy: np.ndarray, case: Case) -> Forward:
        """Forward on a case, if its y has dy's shape."""
        forward = self.subject.forward(case)
        if self.subject.pair.forward is not None and forward.y.shape != dy.shape:
            y, shape = self.convention.label("y"), self.convention.theirs("y", forward.y).shape
            raise Trouble(f"{y} has shape {shape}, so that no {self.convention.label('dy')} fits")
        return forward

    def beside_right(
        self, case: Case, dy: np.ndarray, received: Sequence[np.ndarray]
    ) -> Iterator[tuple[str, Observation]]:
        """Each gradient by its name, beside the right one."""
        expected = self.operation.right_gradients(case, dy)
        for key, came, right in zip(self.convention.gradients, received, expected, strict=True):
            if self.is_also_right(key, case, dy, came):
                right = came
            yield key, Observation(case, came, right, dy)

    def is_also_right(self, key: str, case: Case, dy: np.ndarray, came: np.ndarray) -> bool:
        """Whether a gradient is as right as the reference's."""
        other = self.operation.also_right.get(key)
        if other is not None and other(case, dy, came):
            return True
        right = self.operation.right_gradients(case, dy)[self.convention.gradients.index(key)]
        return not agree(came, right) and self.passes(key, case, dy, came)

    def passes(self, key: str, case: Case, dy: np.ndarray, came: Any) -> bool:
        """Whether the dialect lets pass what came, be it an array or an exception; with a note."""
        note = self.convention.lets_pass(key, case, dy, came)
        if note:
            self.let_pass[note] = None
        return bool(note)

    def smallest(
        self, function: str, key: str, small: Sequence[Case]
    ) -> Observation | None:
        """The first small case on which the answer is wrong, with both answers."""
        for salt, case in enumerate(small):
            if not self.is_possible(case):
                continue
            expected = self.operation.right_forward(case)
            dy = np.array(1.0)
            if expected.ndim:
                dy = np.round(3 * upstream(expected.shape, salt)) + 0.0  # no -0
            if key != "y":
                at = self.convention.gradients.index(key)
                expected = self.operation.right_gradients(case, dy)[at]
            try:
                received = self.answer(function, key, case, dy)
            except Trouble:
                continue
            seen = Observation(case, received, expected, None if key == "y" else dy)
            passes = key != "y" and self.is_also_right(key, case, dy, received)
            if not (seen.right or passes):
                return seen
        return None

    def answer(self, function: str, key: str, case: Case, dy: np.ndarray) -> np.ndarray:
        """What the student's functions give for y or a gradient."""
        forward = self.subject.forward(case)
        if key == "y":
            return forward.y
        gradients = self.subject.backward(function, dy, forward)
        return gradients[self.convention.gradients.index(key)]
