"""The stride, padding and output size of a case with a sliding window, along both axes."""

from minicnn.checking.students.operations.case import Case

Pair = tuple[int, int]
Rim = tuple[Pair, Pair]
"""((top, bottom), (left, right))."""


def strides(case: Case) -> Pair:
    """How far windows advance, down and across."""
    stride = case["stride"]
    return stride if isinstance(stride, tuple) else (stride, stride)


def rim(case: Case) -> Rim:
    """The padding on each side."""
    padding = case["padding"]
    return padding if isinstance(padding, tuple) else ((padding, padding),) * 2


def window_size(case: Case) -> Pair:
    """The window's height and width."""
    if "w" in case.arrays:
        return case["w"].shape[:2]
    size = case["size"]
    return size if isinstance(size, tuple) else (size, size)


def output_size(case: Case, stride: Pair | None = None, around: Rim | None = None) -> Pair:
    """How many windows fit, down and across: floor((length + padding - size) / stride) + 1."""
    down, across = (
        (length + sum(sides) - size) // step + 1
        for length, sides, size, step in zip(
            case["x"].shape[1:3], around or rim(case), window_size(case),
            stride or strides(case), strict=True,
        )
    )
    return down, across


def divides(case: Case) -> bool:
    """Whether the last windows end at the image's end."""
    return all(
        (length + sum(sides) - size) % step == 0
        for length, sides, size, step in zip(
            case["x"].shape[1:3], rim(case), window_size(case), strides(case), strict=True
        )
    )
