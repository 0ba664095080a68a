"""What a network makes of one image, block by block."""

from dataclasses import dataclass

import numpy as np
from matplotlib import colormaps

from minicnn.layers import AvgPool2D, Conv2D, MaxPool2D
from minicnn.sequential import Sequential
from minicnn.viewing.tiles import tile

MOST_CHANNELS = 16
"""Channels shown of each block."""


@dataclass(frozen=True, eq=False)
class FeatureMaps:
    """The output of a block for one image.

    Attributes
    ----------
    layer : str
        The block's last layer.
    maps : ndarray (H, W, C), float32 or float64
    """

    layer: str
    maps: np.ndarray


def block_maps(model: Sequential, x: np.ndarray) -> list[FeatureMaps]:
    """The output of every block for one image, in evaluation mode.

    A block ends with a pooling layer; in a network without pooling every convolution is one.

    Parameters
    ----------
    model : Sequential
    x : array_like (\\*input_shape)
        One preprocessed image, without a batch axis.

    Returns
    -------
    list of FeatureMaps
        Of the model's dtype; empty without pooling and convolutions.

    Raises
    ------
    ValueError
        Where x has not the shape of the model's inputs.
    """
    y = np.asarray(x, model.dtype)[None]
    if y.shape[1:] != model.input_shape:
        raise ValueError(
            f"block_maps: expected an image {model.input_shape}, got {y.shape[1:]}"
        )
    pooling = any(isinstance(layer, MaxPool2D | AvgPool2D) for layer in model.layers)
    ends = MaxPool2D | AvgPool2D if pooling else Conv2D
    blocks = []
    for layer in model.layers:
        y = layer.forward(y, training=False)
        layer.forget()
        if isinstance(layer, ends):
            blocks.append(FeatureMaps(layer.name, np.asarray(y)[0]))
    return blocks


def draw_feature_maps(maps: np.ndarray) -> np.ndarray:
    """The `MOST_CHANNELS` channels that vary most, as tiles from dark (least) to bright (greatest).

    Parameters
    ----------
    maps : ndarray (H, W, C), float
        Drawn in the order of the channels, each to its own scale; a constant one is dark.

    Returns
    -------
    ndarray, uint8 (..., ..., 4)
        RGBA.
    """
    liveliest = np.sort(np.argsort(-maps.std(axis=(0, 1)), kind="stable")[:MOST_CHANNELS])
    images = maps[..., liveliest].transpose(2, 0, 1)
    least = images.min(axis=(1, 2), keepdims=True)
    span = images.max(axis=(1, 2), keepdims=True) - least
    scaled = (images - least) / np.where(span > 0, span, 1)
    return tile(colormaps["cividis"](scaled, bytes=True)[..., :3], columns=8, size=96)
