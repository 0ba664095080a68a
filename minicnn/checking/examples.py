"""A layer of each kind in the settings that matter, for `minicnn gradcheck` and the tests."""

from collections.abc import Callable

from minicnn import layers
from minicnn.layers import Layer

_IMAGE, _FEATURES = (5, 4, 3), (4,)  # few elements, but rows that windows do not reach

EXAMPLES: dict[str, tuple[Callable[[], Layer], tuple[int, ...]]] = {
    "Conv2D": (lambda: layers.Conv2D(4, (3, 2), stride=(1, 2)), _IMAGE),
    "Conv2D 3×3": (lambda: layers.Conv2D(4), _IMAGE),
    "Conv2D, 1 channel": (lambda: layers.Conv2D(4), (5, 6, 1)),
    "Conv2D, no bias": (lambda: layers.Conv2D(4, use_bias=False, padding="valid"), _IMAGE),
    "Conv2D, padded": (lambda: layers.Conv2D(2, 2, padding=((1, 0), (0, 2))), _IMAGE),
    "MaxPool2D": (lambda: layers.MaxPool2D(), _IMAGE),
    "MaxPool2D, overlap": (lambda: layers.MaxPool2D(3, stride=1, padding=1), _IMAGE),
    "MaxPool2D, padded": (
        lambda: layers.MaxPool2D((3, 2), stride=(2, 1), padding=((1, 0), (0, 1))), _IMAGE),
    "AvgPool2D": (lambda: layers.AvgPool2D((2, 3), padding="same"), _IMAGE),
    "GlobalAvgPool2D": (layers.GlobalAvgPool2D, _IMAGE),
    "BatchNorm": (lambda: layers.BatchNorm(momentum=0.5, eps=0.1), _IMAGE),
    "BatchNorm, features": (layers.BatchNorm, _FEATURES),
    "BatchNorm, unbiased": (lambda: layers.BatchNorm(unbiased_running_var=True), _IMAGE),
    "LayerNorm": (lambda: layers.LayerNorm(eps=0.1), _IMAGE),
    "LayerNorm, features": (layers.LayerNorm, _FEATURES),
    "GroupNorm": (lambda: layers.GroupNorm(2, eps=0.1), (5, 4, 4)),
    "GroupNorm, instance": (lambda: layers.GroupNorm(3), _IMAGE),
    "Dense": (lambda: layers.Dense(3), _FEATURES),
    "Dense, no bias": (lambda: layers.Dense(3, use_bias=False), _FEATURES),
    "ReLU": (layers.ReLU, _IMAGE),
    "LeakyReLU": (lambda: layers.LeakyReLU(0.2), _FEATURES),
    "ELU": (lambda: layers.ELU(0.7), _FEATURES),
    "Dropout": (lambda: layers.Dropout(0.4), _IMAGE),
    "Flatten": (layers.Flatten, _IMAGE),
}
"""By name: how to make the layer, and the shape of one input."""


def kind_of(name: str) -> str:
    """The kind of layer that an example is of."""
    return type(EXAMPLES[name][0]()).__name__
