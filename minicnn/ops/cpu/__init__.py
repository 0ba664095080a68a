"""Every operation compiled by Numba and threaded."""

from minicnn.ops.cpu.activations import (
    elu_backward,
    elu_forward,
    leaky_relu_backward,
    leaky_relu_forward,
    relu_backward,
    relu_forward,
)
from minicnn.ops.cpu.batchnorm import batchnorm_backward, batchnorm_forward
from minicnn.ops.cpu.conv2d import conv2d_backward, conv2d_forward
from minicnn.ops.cpu.dense import dense_backward, dense_forward
from minicnn.ops.cpu.dropout import dropout_backward, dropout_forward
from minicnn.ops.cpu.linalg import threads  # noqa: F401  (reads its environment variable)
from minicnn.ops.cpu.pool2d import (
    avgpool2d_backward,
    avgpool2d_forward,
    global_avgpool2d_backward,
    global_avgpool2d_forward,
    maxpool2d_backward,
    maxpool2d_forward,
)
from minicnn.ops.cpu.softmax_cross_entropy import (
    softmax,
    softmax_cross_entropy_backward,
    softmax_cross_entropy_forward,
)
from minicnn.ops.cpu.updates import adam_update, rmsprop_update, sgd_update

__all__ = [
    "adam_update",
    "avgpool2d_backward",
    "avgpool2d_forward",
    "batchnorm_backward",
    "batchnorm_forward",
    "conv2d_backward",
    "conv2d_forward",
    "dense_backward",
    "dense_forward",
    "dropout_backward",
    "dropout_forward",
    "elu_backward",
    "elu_forward",
    "global_avgpool2d_backward",
    "global_avgpool2d_forward",
    "leaky_relu_backward",
    "leaky_relu_forward",
    "maxpool2d_backward",
    "maxpool2d_forward",
    "relu_backward",
    "relu_forward",
    "rmsprop_update",
    "sgd_update",
    "softmax",
    "softmax_cross_entropy_backward",
    "softmax_cross_entropy_forward",
]
