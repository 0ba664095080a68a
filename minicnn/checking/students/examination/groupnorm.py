"""Examining a group norm: gamma and beta in the shape that the file takes."""

from minicnn.checking.students.examination.normalisation import (
    NormalisationExamination,
    Patterns,
    given_in_shapes,
)
from minicnn.checking.students.operations.case import upstream
from minicnn.checking.students.operations.observation import agree
from minicnn.checking.students.operations.operation import Operation
from minicnn.checking.students.subject import Subject, Trouble

SHAPES: tuple[Patterns, ...] = ({}, {"gamma": (-1,), "beta": (-1,)})
"""CS231n's own, (1, C, 1, 1), and (C,), which its text said until 2019."""


class GroupNormExamination(NormalisationExamination):
    """In CS231n's dialect gamma and beta are (1, C, 1, 1) or (C,): what works is right."""

    def __init__(self, operation: Operation, subject: Subject) -> None:
        super().__init__(operation, subject)
        if self.convention.dialect == "cs231n" and subject.pair.forward is not None:
            tried = [given_in_shapes(subject, shapes) for shapes in SHAPES]
            self.subject = max(tried, key=self._works)  # the first of equals
            self.convention = self.subject.convention

    def _works(self, subject: Subject) -> int:
        """How far a pair comes: its forward runs, is right, and its gradients are."""
        case = self.cases[0]
        right = self.operation.right_forward(case)
        dy = upstream(right.shape)
        try:
            forward = subject.forward(case)
        except Trouble:
            return 0
        if not agree(forward.y, right):
            return 1
        number = 2
        for name in subject.pair.backwards:
            try:
                gradients = subject.backward(name, dy, forward)
            except Trouble:
                continue
            number += 1 + sum(map(agree, gradients, self.operation.right_gradients(case, dy)))
        return number
