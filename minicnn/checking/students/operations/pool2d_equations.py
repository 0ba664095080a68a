"""Pooling: its equations, with room for a fault in each."""

from collections.abc import Callable, Iterator

import numpy as np

from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.operations.geometry import (
    Pair,
    output_size,
    rim,
    strides,
    window_size,
)

Share = Callable[[np.ndarray], np.ndarray]
"""A window's pixels (N, KH, KW, C) to the part of dy that each receives."""


def padded(x: np.ndarray, case: Case, value: float = -np.inf) -> np.ndarray:
    """An image with the case's rim, by default of pixels that never win."""
    return np.pad(x, ((0, 0), *rim(case), (0, 0)), constant_values=value)


def inside(case: Case, dx: np.ndarray) -> np.ndarray:
    """dx without its rim."""
    (top, _), (left, _) = rim(case)
    _, height, width, _ = case["x"].shape
    return dx[:, top : top + height, left : left + width]


def windows(
    case: Case, stride: Pair | None = None, number: Pair | None = None
) -> Iterator[tuple[Pair, tuple[slice, slice]]]:
    """Each output pixel and its window in the padded image.

    At another stride, and there may be as many as `number` says, windows can lie outside.
    """
    rows, columns = window_size(case)
    down, across = stride or strides(case)
    for i, j in np.ndindex(number or output_size(case)):
        yield (i, j), (slice(i * down, i * down + rows), slice(j * across, j * across + columns))


def pooled(
    case: Case, stride: Pair, number: Pair, take: Callable[..., np.ndarray]
) -> np.ndarray:
    """Equation 1 or 4 at another stride; nan where a window lies outside the image.

    `take` is ``np.nanmax`` or ``np.nanmean``: the rim is nan.
    """
    x = padded(case["x"], case, np.nan)
    y = np.full((len(x), *number, x.shape[3]), np.nan)
    for (i, j), window in windows(case, stride, number):
        pixels = x[:, *window]
        if pixels.size and not np.isnan(pixels).all():
            y[:, i, j] = take(pixels, (1, 2))
    return y


def first(pixels: np.ndarray) -> np.ndarray:
    """Where the first maximum of a window (N, KH, KW, C) stands: 1 there, else 0."""
    n, rows, columns, channels = pixels.shape
    flat = pixels.reshape(n, rows * columns, channels)
    share = np.arange(rows * columns)[None, :, None] == flat.argmax(1)[:, None]
    return share.reshape(pixels.shape).astype(float)


def last(pixels: np.ndarray) -> np.ndarray:
    """Where the last maximum stands."""
    return first(pixels[:, ::-1, ::-1])[:, ::-1, ::-1]


def every(pixels: np.ndarray) -> np.ndarray:
    """Every maximum, all of dy each."""
    return (pixels == pixels.max((1, 2), keepdims=True)).astype(float)


def equally(pixels: np.ndarray) -> np.ndarray:
    """Every maximum, an equal part each."""
    shares = every(pixels)
    return shares / shares.sum((1, 2), keepdims=True)


def spread(pixels: np.ndarray) -> np.ndarray:
    """Every pixel, an equal part each."""
    return np.full(pixels.shape, 1 / np.prod(pixels.shape[1:3]))


def spread_inside(pixels: np.ndarray) -> np.ndarray:
    """Every pixel that is no padding, an equal part each."""
    image = np.isfinite(pixels)
    return image / image.sum((1, 2), keepdims=True)


def spread_whole(pixels: np.ndarray) -> np.ndarray:
    """Every pixel, all of it."""
    return np.ones(pixels.shape)


def handed_on(
    share: Share, stride: Callable[[Case], Pair | None] = lambda case: None, *,
    overwrite: str = "", maximum: str = "own",
) -> Callable[[Case, np.ndarray], np.ndarray]:
    """Equation 3: dx where each window hands on its dy by shares.

    `overwrite` names what assigns where it should add. At another stride `maximum` says which one
    is meant: the window's own, that of the ``"right"`` window by its place, or by its ``"value"``.
    """

    def predict(case: Case, dy: np.ndarray) -> np.ndarray:
        x = padded(case["x"], case)
        dx = np.zeros(x.shape)
        right = dict(windows(case))
        every_window = list(windows(case, stride(case)))
        for (i, j), window in every_window[::-1] if "first" in overwrite else every_window:
            pixels = x[:, *(right[i, j] if maximum == "right" else window)]
            target = dx[:, *window]
            if not target.size:
                continue
            shares = share(pixels)[:, : target.shape[1], : target.shape[2]]
            if maximum == "value":
                hit = pixels == x[:, *right[i, j]].max((1, 2), keepdims=True)
                shares = share(hit) * hit
            handed = shares * dy[:, i, j, None, None]
            if not overwrite:
                target += handed
            elif "window" in overwrite:
                target[...] = handed
            else:
                target[...] = np.where(shares > 0, handed, target)
        return inside(case, dx)

    return predict


def masks_first(
    share: Share, gather: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> Callable[[Case, np.ndarray], np.ndarray]:
    """dx where one mask is gathered from all windows before each takes its part of it.

    `gather` makes a part of that mask from what is there and a window's own.
    """

    def predict(case: Case, dy: np.ndarray) -> np.ndarray:
        x = padded(case["x"], case)
        mask, dx = np.zeros(x.shape), np.zeros(x.shape)
        for _, window in windows(case):
            mask[:, *window] = gather(mask[:, *window], share(x[:, *window]))
        for (i, j), window in windows(case):
            dx[:, *window] += mask[:, *window] * dy[:, i, j, None, None]
        return inside(case, dx)

    return predict


def is_shared_among_ties(case: Case, dy: np.ndarray, dx: np.ndarray, tolerance: float) -> bool:
    """Whether every window hands all of its dy to its maxima, in whatever parts: a subgradient.

    Where windows overlap, only what follows from it is asked: nothing but maxima receive, and
    nothing is lost.
    """
    if dx.shape != case["x"].shape:
        return False
    x, dx = padded(case["x"], case), padded(dx, case, 0.0)
    apart = all(np.greater_equal(strides(case), window_size(case)))
    reached = np.zeros(x.shape, bool)
    for (i, j), window in windows(case):
        maxima = every(x[:, *window]) > 0
        reached[:, *window] |= maxima
        if apart:
            handed = dy[:, i, j]
            parts = np.where(maxima, dx[:, *window], 0) * np.sign(handed)[:, None, None]
            if not (
                (parts >= -tolerance).all()
                and np.allclose(parts.sum((1, 2)), np.abs(handed), atol=tolerance)
            ):
                return False
    kept = np.allclose(dx.sum((1, 2)), dy.sum((1, 2)), atol=tolerance * dy[0, ..., 0].size)
    return bool(kept and (np.abs(dx[~reached]) <= tolerance).all())
