"""What is known about each operation, by its name."""

from minicnn.checking.students.activations import ELU, LEAKY_RELU, RELU
from minicnn.checking.students.batchnorm import BATCHNORM
from minicnn.checking.students.conv2d import CONV2D
from minicnn.checking.students.dense import DENSE
from minicnn.checking.students.dropout import DROPOUT
from minicnn.checking.students.examination import Operation
from minicnn.checking.students.pool2d import AVGPOOL2D, GLOBAL_AVGPOOL2D, MAXPOOL2D
from minicnn.checking.students.softmax import SOFTMAX, SOFTMAX_CROSS_ENTROPY

OPERATIONS: dict[str, Operation] = {
    operation.name: operation
    for operation in (
        BATCHNORM, CONV2D, MAXPOOL2D, AVGPOOL2D, GLOBAL_AVGPOOL2D, DENSE, RELU, LEAKY_RELU, ELU,
        DROPOUT, SOFTMAX, SOFTMAX_CROSS_ENTROPY,
    )
}
