"""Examining a student's pair of functions: run it, compare, and name the fault that explains."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from minicnn.checking.students.examination.arguments import with_changes
from minicnn.checking.students.examination.batchnorm import BatchNormExamination
from minicnn.checking.students.examination.dropout import DropoutExamination
from minicnn.checking.students.examination.examination import Examination
from minicnn.checking.students.examination.groupnorm import GroupNormExamination
from minicnn.checking.students.examination.losses import LossExamination
from minicnn.checking.students.examination.modes import findings_of_both
from minicnn.checking.students.examination.normalisation import NormalisationExamination
from minicnn.checking.students.examination.sandwich import SandwichExamination
from minicnn.checking.students.examination.updates import UpdateExamination
from minicnn.checking.students.finding import Finding
from minicnn.checking.students.notation import equation_for, name_gradients
from minicnn.checking.students.operations import OPERATIONS
from minicnn.checking.students.operations.sandwich import SANDWICHES
from minicnn.checking.students.operations.update_rules import UPDATE_RULES
from minicnn.checking.students.subject import Subject

_SPECIAL: dict[str, type[Examination]] = {
    "batchnorm": BatchNormExamination,
    "layernorm": NormalisationExamination,
    "groupnorm": GroupNormExamination,
    "dropout": DropoutExamination,
    "softmax": LossExamination,
    "softmax_cross_entropy": LossExamination,
    "svm": LossExamination,
    **dict.fromkeys(SANDWICHES, SandwichExamination),
    **{rule.name: UpdateExamination for rule in UPDATE_RULES},
}
"""Those that look at more than y and the gradients."""


def examine(subject: Subject) -> Iterator[Finding]:
    """The findings about a pair, one for each of its functions, forward first."""
    if subject.pair.settle is not None:
        pair = subject.pair.settle()
        left = {name: pair.backwards[name] for name in subject.pair.backwards}
        subject = Subject(replace(pair, backwards=left), subject.path)
    name = subject.convention.operation
    if subject.convention.beside is not None:
        findings = findings_of_both(subject)
    else:
        findings = _SPECIAL.get(name, Examination)(OPERATIONS[name], subject).findings()
    while True:
        with np.errstate(all="ignore"):  # an answer may hold anything
            finding = next(findings, None)
        if finding is None:
            return
        finding.equation = equation_for(finding, subject.convention)
        if finding.function == subject.convention.forward and finding.verdict == "correct":
            finding.message = finding.message or subject.pair.note
        name_gradients(finding, subject.convention)
        yield with_changes(finding, subject)
