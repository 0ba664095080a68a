"""One operator of ONNX, computed by the standard's own reference evaluator."""

from typing import Any

import numpy as np
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

OPSET = 17


def onnx_operator(
    kind: str, *inputs: np.ndarray, outputs: int = 1, opset: int = OPSET, **attributes: Any
) -> list:
    """The outputs of ONNX's `kind` for these inputs."""
    names = [f"input_{number}" for number in range(len(inputs))]
    results = [f"output_{number}" for number in range(outputs)]
    graph = helper.make_graph(
        [helper.make_node(kind, names, results, **attributes)],
        kind,
        [_value(name, array) for name, array in zip(names, inputs, strict=True)],
        [helper.make_tensor_value_info(name, TensorProto.UNDEFINED, None) for name in results],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    return ReferenceEvaluator(model).run(None, dict(zip(names, inputs, strict=True)))


def channels_first(images: np.ndarray) -> np.ndarray:
    """(N, H, W, C) as (N, C, H, W)."""
    return np.moveaxis(images, -1, 1)


def channels_last(images: np.ndarray) -> np.ndarray:
    """(N, C, H, W) as (N, H, W, C)."""
    return np.moveaxis(images, 1, -1)


def _value(name: str, array: np.ndarray) -> Any:
    kind = helper.np_dtype_to_tensor_dtype(array.dtype)
    return helper.make_tensor_value_info(name, kind, array.shape)
