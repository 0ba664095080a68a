"""The operations, forward and backward, on the backend that is chosen.

Every function exists once in each backend module (`minicnn.ops.reference`, `minicnn.ops.cpu`)
under the same name with the same signature; the ones here call the chosen one.
"""

from minicnn.ops import reference
from minicnn.ops.backend import BACKENDS, backend, backend_name, on_backend, use_backend

conv2d_forward = on_backend(reference.conv2d_forward)
conv2d_backward = on_backend(reference.conv2d_backward)
maxpool2d_forward = on_backend(reference.maxpool2d_forward)
maxpool2d_backward = on_backend(reference.maxpool2d_backward)
avgpool2d_forward = on_backend(reference.avgpool2d_forward)
avgpool2d_backward = on_backend(reference.avgpool2d_backward)
global_avgpool2d_forward = on_backend(reference.global_avgpool2d_forward)
global_avgpool2d_backward = on_backend(reference.global_avgpool2d_backward)
batchnorm_forward = on_backend(reference.batchnorm_forward)
batchnorm_backward = on_backend(reference.batchnorm_backward)
dense_forward = on_backend(reference.dense_forward)
dense_backward = on_backend(reference.dense_backward)
relu_forward = on_backend(reference.relu_forward)
relu_backward = on_backend(reference.relu_backward)
leaky_relu_forward = on_backend(reference.leaky_relu_forward)
leaky_relu_backward = on_backend(reference.leaky_relu_backward)
elu_forward = on_backend(reference.elu_forward)
elu_backward = on_backend(reference.elu_backward)
dropout_forward = on_backend(reference.dropout_forward)
dropout_backward = on_backend(reference.dropout_backward)
softmax = on_backend(reference.softmax)
softmax_cross_entropy_forward = on_backend(reference.softmax_cross_entropy_forward)
softmax_cross_entropy_backward = on_backend(reference.softmax_cross_entropy_backward)
sgd_update = on_backend(reference.sgd_update)
rmsprop_update = on_backend(reference.rmsprop_update)
adam_update = on_backend(reference.adam_update)

__all__ = [
    "BACKENDS",
    "adam_update",
    "avgpool2d_backward",
    "avgpool2d_forward",
    "backend",
    "backend_name",
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
    "use_backend",
]
