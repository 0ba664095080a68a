"""The operations, forward and backward, on the backend that is chosen.

Each function here is the door of an operation: its signature, its documentation and its checks.
What it computes stands in the file of the same name in each backend's folder: `reference` reads as
the equations, `cpu` is compiled by Numba, `cuda` runs on a GPU. Each gives the same functions,
bound to that backend.
"""

import importlib
from typing import TYPE_CHECKING, Any

from minicnn.ops.activations import (
    elu_backward as elu_backward,
    elu_forward as elu_forward,
    leaky_relu_backward as leaky_relu_backward,
    leaky_relu_forward as leaky_relu_forward,
    relu_backward as relu_backward,
    relu_forward as relu_forward,
)
from minicnn.ops.backend import (
    BACKENDS as BACKENDS,
    OPERATIONS,
    available_backends as available_backends,
    backend as backend,
    backend_is_chosen as backend_is_chosen,
    backend_name as backend_name,
    every_backend as every_backend,
    use_backend as use_backend,
)
from minicnn.ops.batchnorm import (
    batchnorm_backward as batchnorm_backward,
    batchnorm_forward as batchnorm_forward,
)
from minicnn.ops.conv2d import (
    conv2d_backward as conv2d_backward,
    conv2d_forward as conv2d_forward,
    conv2d_input_gradient as conv2d_input_gradient,
    conv2d_weight_gradients as conv2d_weight_gradients,
)
from minicnn.ops.dense import (
    dense_backward as dense_backward,
    dense_forward as dense_forward,
    dense_weight_gradients as dense_weight_gradients,
)
from minicnn.ops.dropout import (
    dropout_backward as dropout_backward,
    dropout_forward as dropout_forward,
)
from minicnn.ops.groupnorm import (
    groupnorm_backward as groupnorm_backward,
    groupnorm_forward as groupnorm_forward,
)
from minicnn.ops.layernorm import (
    layernorm_backward as layernorm_backward,
    layernorm_forward as layernorm_forward,
)
from minicnn.ops.pool2d import (
    avgpool2d_backward as avgpool2d_backward,
    avgpool2d_forward as avgpool2d_forward,
    global_avgpool2d_backward as global_avgpool2d_backward,
    global_avgpool2d_forward as global_avgpool2d_forward,
    maxpool2d_backward as maxpool2d_backward,
    maxpool2d_forward as maxpool2d_forward,
)
from minicnn.ops.reductions import (
    all_finite as all_finite,
    global_norm as global_norm,
)
from minicnn.ops.softmax_cross_entropy import (
    softmax as softmax,
    softmax_cross_entropy_backward as softmax_cross_entropy_backward,
    softmax_cross_entropy_forward as softmax_cross_entropy_forward,
)
from minicnn.ops.updates import (
    adam_update as adam_update,
    average_update as average_update,
    rmsprop_update as rmsprop_update,
    sgd_update as sgd_update,
)

if TYPE_CHECKING:
    from minicnn.ops import cpu as cpu, cuda as cuda, reference as reference
else:
    __all__ = [
        *OPERATIONS, "BACKENDS", "available_backends", "backend", "backend_is_chosen",
        "backend_name", "every_backend", "use_backend",
    ]


def __getattr__(name: str) -> Any:
    if name in BACKENDS:  # a backend's package is imported when it is first asked for
        return importlib.import_module(f"minicnn.ops.{name}")
    raise AttributeError(f"module 'minicnn.ops' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *BACKENDS})
