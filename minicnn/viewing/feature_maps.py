"""What a network makes of one image, block by block."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from minicnn.data import Split
from minicnn.inference.evaluation import Evaluation
from minicnn.layers import AvgPool2D, Conv2D, MaxPool2D
from minicnn.sequential import Sequential
from minicnn.viewing.mistakes import source_of
from minicnn.viewing.pictures import Picture
from minicnn.viewing.scales import STRENGTH, Scale
from minicnn.viewing.tiles import enlargement, tile

MOST_CHANNELS = 16
"""Channels shown of each block."""

SIZE = 72
"""Pixels of a map's longer side on the screen, if that is not too much for its places."""


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


def liveliest(maps: np.ndarray) -> np.ndarray:
    """The `MOST_CHANNELS` channels that vary most, in their order.

    Parameters
    ----------
    maps : ndarray (H, W, C), float

    Returns
    -------
    ndarray, int64 (at most MOST_CHANNELS,)
        Counted from 0; at a tie the first.
    """
    return np.sort(np.argsort(-maps.std(axis=(0, 1)), kind="stable")[:MOST_CHANNELS])


def draw_feature_maps(maps: np.ndarray) -> np.ndarray:
    """The `liveliest` channels as tiles from dark (least) to bright (greatest), all to one scale.

    Parameters
    ----------
    maps : ndarray (H, W, C), float

    Returns
    -------
    ndarray, uint8 (..., ..., 4)
        RGBA.
    """
    shown = maps[..., liveliest(maps)].transpose(2, 0, 1)
    factor = enlargement(maps.shape[0], maps.shape[1], SIZE)
    return tile(Scale.of(shown, STRENGTH).paint(shown), columns=8, factor=factor)


def recognised_face(
    evaluation: Evaluation, split: Split, name: str, classes: tuple[str, ...]
) -> dict[str, Any]:
    """The face that the network recognised most surely; where it recognised none, the first."""
    given = evaluation.probabilities[np.arange(len(split)), evaluation.labels]
    right = evaluation.predictions == evaluation.labels
    index = int(np.where(right, given, -1.0).argmax()) if right.any() else 0
    label, source = classes[split.labels[index]], source_of(split, index, name)
    return {
        "index": index, "label": label, "right": bool(right[index]), "source": source,
        "probability": float(given[index]),
        "picture": Picture.of_pixels(
            "face", split.images[index], f"{source}: a face labelled {label}."
        ),
    }


def maps_of_blocks(model: Sequential, x: np.ndarray) -> list[dict[str, Any]]:
    """The feature maps of one preprocessed face, block by block, those of a block to one scale."""
    blocks = []
    for place, block in enumerate(block_maps(model, x), start=1):
        height, width, channels = block.maps.shape
        numbers = liveliest(block.maps)
        scale = Scale.of(block.maps[..., numbers], STRENGTH)
        factor = enlargement(height, width, SIZE)
        blocks.append({
            "layer": block.layer, "height": height, "width": width, "channels": channels,
            "scale": scale, "screen_width": factor * width,
            "picture": Picture.of_pixels(
                f"feature-maps-{place}", draw_feature_maps(block.maps),
                f"Feature maps after {block.layer}.",
            ),
            "maps": [
                Picture.of_pixels(
                    f"map-{number + 1}", scale.paint(block.maps[..., number]),
                    f"channel {number + 1}",
                )
                for number in numbers
            ],
        })
    return blocks
