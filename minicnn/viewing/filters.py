"""The filters of the first convolution, which look at the image itself."""

import numpy as np
from matplotlib import colormaps

from minicnn.layers import Conv2D
from minicnn.sequential import Sequential
from minicnn.viewing.tiles import tile

MOST_FILTERS = 64
"""Filters shown."""


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


def draw_filters(weights: np.ndarray) -> np.ndarray:
    """Filters as tiles: orange weighs against, white not at all, violet for.

    Parameters
    ----------
    weights : ndarray (KH, KW, C, filters), float
        The first `MOST_FILTERS` filters are drawn, over several input channels their mean; all to
        one scale, on which the greatest weight in size is the darkest.

    Returns
    -------
    ndarray, uint8 (..., ..., 4)
        RGBA.
    """
    images = weights[..., :MOST_FILTERS].mean(axis=2).transpose(2, 0, 1)
    scale = np.abs(images).max() or 1.0
    colours = colormaps["PuOr"](images / (2 * scale) + 0.5, bytes=True)[..., :3]
    return tile(colours, columns=8, size=48)
