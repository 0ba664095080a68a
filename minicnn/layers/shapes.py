"""The shape of one input or output, without the batch axis, and a check of it."""

Shape = tuple[int, ...]


def image_shape(layer: str, shape: Shape) -> tuple[int, int, int]:
    """`shape` as (H, W, C), or a ValueError naming the layer."""
    if len(shape) != 3:
        raise ValueError(f"{layer}: expected images of shape (H, W, C), got {shape}")
    height, width, channels = shape
    return height, width, channels
