"""Examining batch norm, layer norm and group norm: what they share."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from minicnn.checking.students.convention import Arguments, Parameters
from minicnn.checking.students.examination.examination import Examination
from minicnn.checking.students.operations.case import Case
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
