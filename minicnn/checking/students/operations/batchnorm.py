"""Batch norm: its cases, and what each fault would produce, in training and in evaluation mode."""

from minicnn.checking.students.operations.batchnorm_backward import (
    dgamma_suspects,
    dx_suspects,
    reductions,
)
from minicnn.checking.students.operations.batchnorm_cases import batchnorm_cases, small_cases
from minicnn.checking.students.operations.batchnorm_evaluation import (
    evaluation_backward_suspects,
    evaluation_suspects,
)
from minicnn.checking.students.operations.batchnorm_forward import forward_suspects
from minicnn.checking.students.operations.batchnorm_terms import explain_dx
from minicnn.checking.students.operations.operation import Operation

BATCHNORM = Operation(
    "batchnorm", batchnorm_cases(training=True), small_cases(), forward_suspects(),
    {
        "dx": dx_suspects(),
        "dgamma": dgamma_suspects(),
        "dbeta": reductions(lambda case, dy: dy),
    },
    {"dx": explain_dx},
    blame=("dgamma", "dbeta", "dx"),  # dx may be made of the other two
)
"""Batch norm in training."""

BATCHNORM_EVALUATION = Operation(
    "batchnorm", batchnorm_cases(training=False), small_cases(training=False),
    evaluation_suspects(), evaluation_backward_suspects(),
)
"""In evaluation mode."""
