"""The filters of the first convolution, which look at the image itself."""

from typing import Any

import numpy as np

from minicnn.layers import Conv2D
from minicnn.sequential import Sequential
from minicnn.viewing.pictures import Picture
from minicnn.viewing.scales import WEIGHT, Scale
from minicnn.viewing.tiles import tile

MOST_FILTERS = 64
"""Filters shown."""

SIZE = 36
"""Pixels of a filter's longer side on the screen, at most, if it has not more weights than that."""


def first_filters(model: Sequential) -> tuple[str, np.ndarray] | None:
    """Name and weights of the first convolution.

    Parameters
    ----------
    model : Sequential

    Returns
    -------
    (str, ndarray (KH, KW, C, filters)) or None
        The weights are a copy, of the model's dtype; None without a convolution.
    """
    for layer in model.layers:
        if isinstance(layer, Conv2D):
            weights = next(p for p in layer.parameters() if p.name == f"{layer.name}.w")
            return layer.name, np.array(weights.data)
    return None


def shown_filters(weights: np.ndarray) -> np.ndarray:
    """What is drawn of the filters: their weights, over several input channels the mean.

    Parameters
    ----------
    weights : ndarray (KH, KW, C, filters), float

    Returns
    -------
    ndarray (at most MOST_FILTERS, KH, KW)
        The first ones.
    """
    return weights[..., :MOST_FILTERS].mean(axis=2).transpose(2, 0, 1)


def draw_filters(weights: np.ndarray) -> np.ndarray:
    """Filters as tiles: black weighs against, grey not at all, white for.

    Parameters
    ----------
    weights : ndarray (KH, KW, C, filters), float
        Drawn as `shown_filters`, all to one scale, from the greatest weight in size below 0 to the
        same above.

    Returns
    -------
    ndarray, uint8 (..., ..., 4)
        RGBA.
    """
    shown = shown_filters(weights)
    factor = max(SIZE // max(shown.shape[1:]), 1)
    return tile(Scale.around_zero(shown, WEIGHT).paint(shown), columns=8, factor=factor)


def filter_sheet(model: Sequential) -> dict[str, Any] | None:
    """The first convolution's filters and their scale; None without one."""
    found = first_filters(model)
    if found is None:
        return None
    layer, weights = found
    shown = shown_filters(weights)
    height, width, channels, count = weights.shape
    sheet = draw_filters(weights)
    return {
        "layer": layer, "height": height, "width": width, "count": count, "channels": channels,
        "screen_width": sheet.shape[1], "shown": len(shown),
        "scale": Scale.around_zero(shown, WEIGHT),
        "picture": Picture.of_pixels(
            "filters", sheet,
            f"{len(shown)} filters of {layer} side by side, each {height} by {width} squares from "
            "black to white.",
        ),
    }
