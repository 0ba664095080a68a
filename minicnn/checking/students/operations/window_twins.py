"""Experiments on sliding windows: cases changed in one respect, in which a fault does not show."""

from functools import partial

import numpy as np

from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.operations.geometry import (
    Pair,
    Rim,
    divides,
    rim,
    strides,
    window_size,
)
from minicnn.checking.students.operations.operation import Twin

EMPTY_SLICE = (
    "With pad = 0 the slice pad:-pad is 0:-0, which is empty; pad:pad+H works for every pad."
)


def convolution_twins(key: str) -> list[Twin]:
    """Of a convolution's y, or one of its gradients."""
    backward = key != "y"
    return [
        square_twin(),
        *(
            Twin(partial(_with, padding=number),
                 f"It is right where the padding is {number}, and nowhere else.",
                 "conv-padding-fixed")
            for number in (1, 2)
        ),
        Twin(_with_a_rim, f"It fails only where pad = 0. {EMPTY_SLICE}",
              "conv-dx-not-cropped" if backward else ""),
        Twin(partial(_with, padding=0), "It is right where the padding is 0.", always=False),
        Twin(partial(_with, stride=1), "It is right where the stride is 1.", always=False),
        Twin(partial(_with, padding=0, stride=1),
             "It is right where the padding is 0 and the stride is 1.", always=False),
        *_smaller_twins(),
    ]


def pooling_twins() -> list[Twin]:
    """Of a pooling's y or dx."""
    return [
        Twin(_without_ties, "It fails only where a window holds its maximum more than once: there "
             "np.where and == find several places, np.argmax the first."),
        square_twin(),
        Twin(_apart, "It is right where windows do not overlap.", always=False),
        Twin(partial(_with, stride=1), "It is right where the stride is 1.", always=False),
        *_smaller_twins(),
    ]


def square_twin() -> Twin:
    """The image and its window as high as wide."""
    return Twin(
        _square, "It is right where the image and the window are as high as wide.",
        "height-width-exchanged", always=False,
    )


def _smaller_twins() -> list[Twin]:
    return [
        Twin(partial(_with_one, name="x", axis=0), "It is right for a batch of one.", always=False),
        Twin(partial(_with_one, name="x", axis=3), "It is right for one channel.", always=False),
        Twin(partial(_with_one, name="w", axis=3), "It is right for one filter.", always=False),
    ]


def _square(case: Case) -> Case | None:
    """Everything as along the vertical axis, and as long as the longer."""
    image, size, steps, around = case["x"].shape[1:3], window_size(case), strides(case), rim(case)
    if all(first == second for first, second in (image, size, steps, around)):
        return None
    return _changed(
        case, (max(image),) * 2, (max(size),) * 2, (steps[0],) * 2, (around[0],) * 2
    )


def _with_a_rim(case: Case) -> Case | None:
    """Padding 1 where there is none."""
    return None if any(map(any, rim(case))) else _with(case, padding=1)


def _without_ties(case: Case) -> Case | None:
    """Values that are all different, where they are not."""
    x = case["x"]
    if len(np.unique(x)) == x.size:
        return None
    return Case({"x": _distinct(x.shape) + x.min()}, case.settings)


def _apart(case: Case) -> Case | None:
    """Windows that lie side by side, where they overlap."""
    if all(np.greater_equal(strides(case), window_size(case))):
        return None
    return _with(case, stride=max(window_size(case)))


def _with(case: Case, *, padding: int | None = None, stride: int | None = None) -> Case | None:
    """A case of another padding, or stride, or both."""
    around = rim(case) if padding is None else ((padding, padding),) * 2
    steps = strides(case) if stride is None else (stride, stride)
    if (around, steps) == (rim(case), strides(case)):
        return None
    return _changed(case, case["x"].shape[1:3], window_size(case), steps, around)


def _with_one(case: Case, *, name: str, axis: int) -> Case | None:
    """A case in which an axis of x or w has length 1."""
    if name not in case.arrays or case[name].shape[axis] == 1:
        return None
    single = {"x": {0: "samples", 3: "channels"}, "w": {3: "filters"}}[name][axis]
    return _changed(
        case, case["x"].shape[1:3], window_size(case), strides(case), rim(case), **{single: 1}
    )


def _changed(
    case: Case, image: Pair, size: Pair, steps: Pair, around: Rim, *,
    samples: int | None = None, channels: int | None = None, filters: int | None = None,
) -> Case:
    """A case of these sizes; the image grows until the stride divides as it does in the given."""
    x = case["x"]
    rest = 0 if divides(case) else 1
    height, width = (
        max(length, one - sum(sides))
        + -(max(length, one - sum(sides)) + sum(sides) - one) % step + rest * (step > 1)
        for length, one, step, sides in zip(image, size, steps, around, strict=True)
    )
    shape = (samples or len(x), height, width, channels or x.shape[3])
    arrays = {"x": _values(shape, case["x"])}
    settings = {**case.settings, "stride": _plain(steps), "padding": _plain_rim(around)}
    if "w" in case.arrays:
        count, rng = filters or case["w"].shape[3], np.random.default_rng(40)
        arrays["w"] = rng.standard_normal((*size, shape[3], count))
        arrays["b"] = rng.standard_normal(count)
    else:
        settings["size"] = _plain(size)
    return Case(arrays, settings)


def _values(shape: tuple[int, ...], like: np.ndarray) -> np.ndarray:
    """Values of the signs, and with the ties, of others."""
    rng = np.random.default_rng(45)
    if len(np.unique(like)) < like.size:
        return rng.choice(like.ravel(), shape)
    return _distinct(shape) / np.prod(shape) * np.ptp(like) * 4 + like.min()


def _distinct(shape: tuple[int, ...]) -> np.ndarray:
    """Quarters from 0 on, all different."""
    size = int(np.prod(shape))
    return np.random.default_rng(44).permutation(size).reshape(shape) / 4


def _plain(pair: Pair) -> int | Pair:
    """One number for two that are equal."""
    return pair[0] if pair[0] == pair[1] else pair


def _plain_rim(around: Rim) -> int | Rim:
    return around[0][0] if len({*around[0], *around[1]}) == 1 else around
