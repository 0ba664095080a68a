"""Checks of settings and shapes that several layers make."""

from typing import Any

from minicnn.layers.base import Shape


def image_shape(layer: str, shape: Shape) -> tuple[int, int, int]:
    """`shape` as (H, W, C), or a ValueError naming the layer."""
    if len(shape) != 3:
        raise ValueError(f"{layer}: expected images of shape (H, W, C), got {shape}")
    height, width, channels = shape
    return height, width, channels


def positive_integer(layer: str, name: str, value: Any) -> int:
    """`value`, if it is an integer of at least 1."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{layer}: {name} must be an integer, got {value!r}")
    if value < 1:
        raise ValueError(f"{layer}: {name} must be at least 1, got {value!r}")
    return value
