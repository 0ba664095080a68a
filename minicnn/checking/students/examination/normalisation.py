"""Examining batch norm, layer norm and group norm: what they share."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from minicnn.checking.students.convention import Arguments, Parameters
from minicnn.checking.students.examination.evidence import lesson
from minicnn.checking.students.examination.examination import Examination
from minicnn.checking.students.finding import Finding
from minicnn.checking.students.operations.case import Case, upstream
from minicnn.checking.students.operations.groupnorm import NORMALISATIONS
from minicnn.checking.students.operations.normalisation_backward import vary_within
from minicnn.checking.students.operations.observation import Observation, agree
from minicnn.checking.students.operations.operation import Suspect
from minicnn.checking.students.subject import Subject, Trouble

Patterns = Mapping[str, tuple[int, ...]]
"""By an array's name, the shape to be given to `numpy.reshape`: -1 stands for C."""


class NormalisationExamination(Examination):
    """A course has a function for images and another for features; minicnn's is for both."""

    def is_possible(self, case: Case) -> bool:
        if self.convention.dialect == "cs231n":
            return case["x"].ndim == (4 if "spatial" in self.convention.forward else 2)
        return super().is_possible(case)

    def may_be_refused(self, case: Case, trouble: Trouble) -> bool:
        return self.convention.dialect != "cs231n" and super().may_be_refused(case, trouble)

    def conclude(
        self, function: str, verdict: str, key: str, observations: Sequence[Observation],
        suspects: Sequence[Suspect], small: Sequence[Case] | None = None,
    ) -> Finding:
        found = super().conclude(function, verdict, key, observations, suspects, small)
        if found.fault == "unknown" and key == "dx" and self._is_diagonal(function):
            text = "No element of dx depends on another element of dy."
            return lesson(
                function, verdict, "bn-diagonal-only", text, found.evidence,
                topic=self.operation.topic,
            )
        return found

    def _is_diagonal(self, name: str) -> bool:
        """Whether every element of dx is that of dy times a factor of its own."""
        varied = False
        for salt, case in enumerate(self.cases):
            dy = upstream(case["x"].shape, salt)
            mask = upstream(case["x"].shape, salt + 10) > 0
            try:
                forward = self.subject.forward(case)
                dx, masked = (
                    self.subject.backward(name, each, forward)[0] for each in (dy, dy * mask)
                )
            except Trouble:
                return False
            if dx.shape != dy.shape or not agree(masked, dx * mask):
                return False
            varied |= vary_within(NORMALISATIONS[self.operation.name], case, dx / dy)
        return varied


def given_in_shapes(subject: Subject, patterns: Patterns) -> Subject:
    """The same pair, given some arrays in other shapes than those of its dialect."""
    convention = subject.convention

    def call(case: Case, arrays: dict[str, np.ndarray], parameters: Parameters) -> Arguments:
        shaped = {
            key: array.reshape(patterns.get(key, array.shape)) for key, array in arrays.items()
        }
        return convention.call(case, shaped, parameters)

    pair = replace(subject.pair, convention=replace(convention, call=call))
    same = Subject(pair, subject.path)
    same.changes = subject.changes
    return same
