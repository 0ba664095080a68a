"""The sliding window that convolution and pooling share: its size, stride and padding."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from minicnn.validation import is_integer

Pair = tuple[int, int]
Padding = tuple[Pair, Pair]


@dataclass(frozen=True, slots=True)
class Window:
    """A window that slides over the two image axes.

    Parameters
    ----------
    size : (int, int)
        Height and width of the window in pixels.
    stride : (int, int)
        How far it moves at a time, down and to the right.
    padding : ((top, bottom), (left, right))
        Rows and columns added around the image before the window slides over it.
    """

    size: Pair
    stride: Pair
    padding: Padding

    @property
    def place_dtype(self) -> np.dtype:
        """The smallest unsigned integers that count the window's pixels."""
        return np.min_scalar_type(self.size[0] * self.size[1] - 1)

    def output_size(self, height: int, width: int) -> Pair:
        """How often the window fits into an image, down and to the right.

        With image side ``n``, size ``k``, stride ``s`` and padding ``p + q`` that is
        ``floor((n + p + q - k) / s) + 1`` (Dumoulin and Visin 2016, arXiv:1603.07285, equation 6);
        0 or less where it does not fit at all.
        """
        down, across = (
            (length + sum(padding) - size) // stride + 1
            for length, size, stride, padding in zip(
                (height, width), self.size, self.stride, self.padding, strict=True
            )
        )
        return down, across

    def covering(self, row: int, column: int, height: int, width: int) -> tuple[slice, slice]:
        """The part of the unpadded image under the window at output place (`row`, `column`)."""
        (top, _), (left, _) = self.padding
        first, start = row * self.stride[0] - top, column * self.stride[1] - left
        return (
            slice(max(first, 0), min(first + self.size[0], height)),
            slice(max(start, 0), min(start + self.size[1], width)),
        )


def resolve_window(
    operation: str, size: Any, stride: Any, padding: Any, image_size: Pair, *, cover: bool = False
) -> Window:
    """A `Window` from what a user writes, checked to fit an image.

    Parameters
    ----------
    operation : str
        Who asks, for the error messages.
    size, stride : int or (int, int)
        One number for both axes, or one each; at least 1.
    padding : int, (int, int), ((top, bottom), (left, right)), ``"same"`` or ``"valid"``
        ``"same"`` gives ``ceil(n / stride)`` places along an axis of ``n`` pixels and puts the odd
        row at the bottom or right, as TensorFlow does; ``"valid"`` is 0.
    image_size : (int, int)
        Height and width of the image.
    cover : bool, default False
        Require every window to cover at least one pixel that is not padding.

    Raises
    ------
    TypeError
        Where something is not made of integers.
    ValueError
        Where a number is out of range, or the window does not fit into the padded image.
    """
    sizes = pair(operation, "size", size, minimum=1)
    strides = pair(operation, "stride", stride, minimum=1)
    sides = explicit_padding(operation, padding)
    if isinstance(sides, str):
        down, across = map(_same_padding, image_size, sizes, strides)
        sides = down, across
    window = Window(sizes, strides, sides)
    if min(window.output_size(*image_size)) < 1:
        raise ValueError(
            f"{operation}: a window of {sizes} does not fit into an image of {image_size} "
            f"with padding {window.padding}"
        )
    if cover:
        for side, length in zip(window.padding, sizes, strict=True):
            if max(side) >= length:
                raise ValueError(
                    f"{operation}: padding must be smaller than the window, so that no window lies "
                    f"in padding alone; got padding {window.padding} for windows of {sizes}"
                )
    return window


def pair(operation: str, name: str, value: Any, *, minimum: int) -> Pair:
    """One integer for both image axes, or two, each at least `minimum`."""
    values = (value, value) if is_integer(value) else value
    if not _is_sequence(values, 2) or not all(is_integer(item) for item in values):
        raise TypeError(f"{operation}: {name} must be an integer or a pair of them, got {value!r}")
    if min(values) < minimum:
        raise ValueError(f"{operation}: {name} must be at least {minimum}, got {value!r}")
    return int(values[0]), int(values[1])


def explicit_padding(operation: str, padding: Any) -> Padding | str:
    """What a user writes as ((top, bottom), (left, right)), or ``"same"``, which needs an image.

    Raises
    ------
    TypeError, ValueError
        Where it is neither of the forms that `resolve_window` takes.
    """
    if isinstance(padding, str):
        if padding == "same":
            return padding
        if padding == "valid":
            return (0, 0), (0, 0)
        raise ValueError(
            f'{operation}: padding must be "same", "valid" or numbers, got {padding!r}'
        )
    if _is_sequence(padding, 2) and all(_is_sequence(side, 2) for side in padding):
        return (
            pair(operation, "padding", tuple(padding[0]), minimum=0),
            pair(operation, "padding", tuple(padding[1]), minimum=0),
        )
    vertical, horizontal = pair(operation, "padding", padding, minimum=0)
    return (vertical, vertical), (horizontal, horizontal)


def _same_padding(length: int, size: int, stride: int) -> Pair:
    places = -(-length // stride)
    total = max((places - 1) * stride + size - length, 0)
    return total // 2, total - total // 2


def _is_sequence(value: Any, length: int) -> bool:
    return isinstance(value, tuple | list) and len(value) == length
