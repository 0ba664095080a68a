"""What is known about each operation: its cases, and what each fault would produce."""

from minicnn.checking.students.operations.activations import ELU, LEAKY_RELU, RELU
from minicnn.checking.students.operations.batchnorm import BATCHNORM
from minicnn.checking.students.operations.conv2d import CONV2D
from minicnn.checking.students.operations.dense import DENSE
from minicnn.checking.students.operations.dropout import DROPOUT
from minicnn.checking.students.operations.groupnorm import GROUPNORM, LAYERNORM
from minicnn.checking.students.operations.operation import Operation
from minicnn.checking.students.operations.pool2d import AVGPOOL2D, GLOBAL_AVGPOOL2D, MAXPOOL2D
from minicnn.checking.students.operations.sandwich import SANDWICHES
from minicnn.checking.students.operations.softmax_cross_entropy import (
    SOFTMAX,
    SOFTMAX_CROSS_ENTROPY,
)
from minicnn.checking.students.operations.svm import SVM
from minicnn.checking.students.operations.update_rules import UPDATE_RULES
from minicnn.checking.students.operations.window_steps import (
    CONV_SINGLE_STEP,
    CREATE_MASK,
    DISTRIBUTE_VALUE,
    ZERO_PAD,
)

OPERATIONS: dict[str, Operation] = {
    operation.name: operation
    for operation in (
        BATCHNORM, LAYERNORM, GROUPNORM,
        ZERO_PAD, CONV_SINGLE_STEP, CONV2D,
        MAXPOOL2D, AVGPOOL2D, GLOBAL_AVGPOOL2D, CREATE_MASK, DISTRIBUTE_VALUE,
        DENSE, RELU, LEAKY_RELU, ELU, DROPOUT,
        SOFTMAX, SOFTMAX_CROSS_ENTROPY, SVM, *SANDWICHES.values(),
        *UPDATE_RULES,
    )
}
"""By name."""
