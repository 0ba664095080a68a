"""Batch norm: its cases, and what each fault would produce, in training and in evaluation mode."""

from minicnn.checking.students.operations.batchnorm_backward import backward_suspects
from minicnn.checking.students.operations.batchnorm_cases import (
    BY_CHANNEL,
    batchnorm_cases,
    small_cases,
)
from minicnn.checking.students.operations.batchnorm_evaluation import (
    evaluation_backward_suspects,
    evaluation_suspects,
)
from minicnn.checking.students.operations.batchnorm_forward import forward_suspects
from minicnn.checking.students.operations.normalisation_terms import explain_dx
from minicnn.checking.students.operations.operation import Operation

BATCHNORM = Operation(
    "batchnorm", batchnorm_cases(training=True), small_cases(), forward_suspects(),
    backward_suspects(),
    {"dx": explain_dx(BY_CHANNEL)},
    blame=("dgamma", "dbeta", "dx"),  # dx may be made of the other two
    topic="batch norm",
)
"""Batch norm in training."""

BATCHNORM_EVALUATION = Operation(
    "batchnorm", batchnorm_cases(training=False), small_cases(training=False),
    evaluation_suspects(), evaluation_backward_suspects(), topic="batch norm",
)
"""In evaluation mode."""
