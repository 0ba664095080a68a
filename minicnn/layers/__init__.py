"""The layers: settings and parameters around the operations of `minicnn.ops`."""

from collections.abc import Mapping
from typing import Any

from minicnn.errors import InputError
from minicnn.files import registry
from minicnn.layers.activations import ELU, LeakyReLU, ReLU
from minicnn.layers.array_spec import ArraySpec
from minicnn.layers.base import Layer
from minicnn.layers.batchnorm import BatchNorm
from minicnn.layers.conv2d import Conv2D
from minicnn.layers.dense import Dense
from minicnn.layers.dropout import Dropout
from minicnn.layers.flatten import Flatten
from minicnn.layers.groupnorm import GroupNorm
from minicnn.layers.layernorm import LayerNorm
from minicnn.layers.parameters import Parameter
from minicnn.layers.pool2d import AvgPool2D, GlobalAvgPool2D, MaxPool2D

LAYERS: dict[str, type[Layer]] = {
    kind.__name__: kind
    for kind in (
        Conv2D, MaxPool2D, AvgPool2D, GlobalAvgPool2D, BatchNorm, LayerNorm, GroupNorm, Dense,
        ReLU, LeakyReLU, ELU, Dropout, Flatten,
    )
}
"""The layers by the names that experiments and model files use."""


def from_config(config: Mapping[str, Any], where: str = "layer") -> Layer:
    """A layer from its `Layer.config`: its kind under ``"type"``, and its settings.

    Raises
    ------
    InputError
        For an unknown kind or setting, or a value out of range; `where` begins the message.
    """
    if not isinstance(config, Mapping):
        raise InputError(f"{where}: expected a table with a type, got {config!r}")
    settings = dict(config)
    return registry.build(LAYERS, settings.pop("type", None), settings, where)


__all__ = [
    "ELU",
    "LAYERS",
    "ArraySpec",
    "AvgPool2D",
    "BatchNorm",
    "Conv2D",
    "Dense",
    "Dropout",
    "Flatten",
    "GlobalAvgPool2D",
    "GroupNorm",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "MaxPool2D",
    "Parameter",
    "ReLU",
    "from_config",
]
