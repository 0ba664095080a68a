"""A check of shapes that several layers make."""

from minicnn.layers.base import Shape


def image_shape(layer: str, shape: Shape) -> tuple[int, int, int]:
    """`shape` as (H, W, C), or a ValueError naming the layer."""
    if len(shape) != 3:
        raise ValueError(f"{layer}: expected images of shape (H, W, C), got {shape}")
    height, width, channels = shape
    return height, width, channels
