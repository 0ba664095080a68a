"""Batch norm: the cases that tell its faults apart, their statistics, and numbers taken for m."""

import itertools
from functools import partial

import numpy as np

from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.operations.normalisation import Normalisation

Axes = tuple[int, ...]


def _case(
    rng: np.random.Generator, shape: tuple[int, ...], eps: float, training: bool,
    momentum: float = 0.8,
) -> Case:
    """Channels of different means and standard deviations, and gammas far from 1."""
    channels = shape[-1]
    sigma = np.geomspace(0.6, 3, channels)
    x = 2 + np.arange(channels) + sigma * rng.standard_normal(shape)
    arrays = {
        "x": x,
        "gamma": np.linspace(0.4, 2.3, channels) * (-1) ** np.arange(channels),
        "beta": rng.standard_normal(channels) + 1,
        "running_mean": rng.standard_normal(channels) - 1,
        "running_var": rng.uniform(0.5, 5, channels),
    }
    settings = {"training": training, "momentum": momentum, "eps": eps}
    # one that is written for images alone may fail in any way on features
    return Case(arrays, settings, (Exception,) if len(shape) == 2 else ())


def batchnorm_cases(training: bool) -> list[Case]:
    """Images and features, with an eps that cannot be seen and one that can."""
    rng = np.random.default_rng(50 + training)
    settings = [
        ((3, 5, 7, 4), 1e-5, 0.9), ((4, 7, 2, 3), 0.5, 0.8), ((9, 5), 1e-5, 0.9), ((7, 4), 0.5, 0.8)
    ]
    return [_case(rng, shape, eps, training, momentum)
            for shape, eps, momentum in settings]


def lone_samples() -> dict[str, tuple[str, Case]]:
    """A batch of one image, and one of images of one pixel, and how their sizes are written.

    What has a mean for every image, or for every pixel, is right on it.
    """
    shapes = {"image": ("N = 1", (1, 5, 7, 4)), "pixel": ("H = W = 1", (3, 1, 1, 4))}
    return {
        what: (sizes, _case(np.random.default_rng(52), shape, 0.5, training=True))
        for what, (sizes, shape) in shapes.items()
    }


def small_cases(training: bool = True) -> list[Case]:
    """Squares of 1, 2, 3, ... in the smallest batches: a counterexample to be followed by hand."""
    cases = []
    for shape in [(3, 1), (3, 2), (1, 1, 3, 1), (2, 1, 2, 1), (2, 3, 2, 2), (3, 2, 4, 3)]:
        channels = shape[-1]
        x = (np.arange(1.0, np.prod(shape) + 1) ** 2).reshape(shape)
        for eps in (1e-5, 1.0):
            cases.append(Case(
                {
                    "x": x, "gamma": np.arange(2.0, channels + 2), "beta": np.ones(channels),
                    "running_mean": np.zeros(channels), "running_var": np.full(channels, 4.0),
                },
                {"training": training, "momentum": 0.9, "eps": eps},
            ))
    return cases


def batch_axes(case: Case) -> Axes:
    """The axes that the statistics are taken over."""
    return tuple(range(case["x"].ndim - 1))


def _product(case: Case, axes: Axes) -> int:
    """The product of those axes that there are."""
    return int(np.prod([case["x"].shape[axis] for axis in axes if axis < case["x"].ndim]))


BY_CHANNEL = Normalisation(
    "channel",
    split=lambda case, array: array.reshape(-1, array.shape[-1]),
    join=lambda case, columns: columns.reshape(case["x"].shape),
    products={
        "·".join("NHWC"[axis] for axis in axes): partial(_product, axes=axes)
        for length in range(1, 5)
        for axes in itertools.combinations(range(4), length)
        if axes != (0, 1, 2)
    },
    of_features="H", one_gamma=True,
)
"""Batch norm's: a mean and a variance a channel. Features have the first two axes of images."""


def statistics(case: Case, axes: Axes) -> tuple[np.ndarray, np.ndarray]:
    """Mean and biased variance over these axes, broadcast to x's shape."""
    x = case["x"]
    mean = x.mean(axes, keepdims=True)
    return mean, np.square(x - mean).mean(axes, keepdims=True)
