"""What is known about each operation and who examines it, by its name."""

from collections.abc import Iterator

from minicnn.checking.students.examination import Examination
from minicnn.checking.students.finding import Finding
from minicnn.checking.students.operations.activations import ELU, LEAKY_RELU, RELU
from minicnn.checking.students.operations.batchnorm import BATCHNORM, BatchNormExamination
from minicnn.checking.students.operations.conv2d import CONV2D
from minicnn.checking.students.operations.dense import DENSE
from minicnn.checking.students.operations.dropout import DROPOUT, DropoutExamination
from minicnn.checking.students.operations.operation import Operation
from minicnn.checking.students.operations.pool2d import AVGPOOL2D, GLOBAL_AVGPOOL2D, MAXPOOL2D
from minicnn.checking.students.operations.softmax import (
    SOFTMAX,
    SOFTMAX_CROSS_ENTROPY,
    SoftmaxExamination,
)
from minicnn.checking.students.subject import Subject

OPERATIONS: dict[str, Operation] = {
    operation.name: operation
    for operation in (
        BATCHNORM, CONV2D, MAXPOOL2D, AVGPOOL2D, GLOBAL_AVGPOOL2D, DENSE, RELU, LEAKY_RELU, ELU,
        DROPOUT, SOFTMAX, SOFTMAX_CROSS_ENTROPY,
    )
}

EXAMINATIONS: dict[str, type[Examination]] = {
    "batchnorm": BatchNormExamination,
    "dropout": DropoutExamination,
    "softmax": SoftmaxExamination,
    "softmax_cross_entropy": SoftmaxExamination,
}
"""Those that look at more than y and the gradients."""


def examine(subject: Subject) -> Iterator[Finding]:
    """The findings about a pair, one for each of its functions, forward first."""
    name = subject.convention.operation
    return EXAMINATIONS.get(name, Examination)(OPERATIONS[name], subject).findings()
