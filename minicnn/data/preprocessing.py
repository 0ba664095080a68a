"""From grey levels to what a network is fed, and how a model file remembers it."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from minicnn.errors import InputError


@dataclass(frozen=True)
class Preprocessing:
    """Standardise grey levels with two numbers: ``(level - mean) / deviation``.

    Parameters
    ----------
    mean : float
        Mean grey level of the training images, on the scale 0 to 255.
    deviation : float > 0
        Their standard deviation.
    """

    mean: float
    deviation: float

    @classmethod
    def fit(cls, images: np.ndarray) -> Self:
        """Mean and deviation of all pixels of `images`, uint8; a deviation of 0 becomes 1."""
        mean, deviation = pixel_moments(images)
        return cls(mean, deviation or 1.0)

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Standardised float32 (N, H, W, 1) from uint8 (N, H, W)."""
        scale = np.float32(1 / self.deviation)
        return ((images.astype(np.float32) - np.float32(self.mean)) * scale)[..., None]

    def as_dict(self) -> dict[str, float]:
        """For a model's metadata."""
        return asdict(self)

    @classmethod
    def of_model(cls, metadata: Mapping[str, Any], where: str) -> Self:
        """The preprocessing that a model's metadata names under ``"preprocessing"``.

        Raises
        ------
        InputError
            Where it is missing or not two numbers; `where` begins the message.
        """
        settings = metadata.get("preprocessing")
        try:
            found = cls(float(settings["mean"]), float(settings["deviation"]))  # type: ignore[index]
        except (TypeError, KeyError, ValueError):
            found = cls(math.nan, math.nan)
        if not (math.isfinite(found.mean) and 0 < found.deviation < math.inf):
            raise InputError(
                f"{where}: expected the metadata to hold preprocessing with mean and deviation, "
                f"got {settings!r}"
            )
        return found


def pixel_moments(images: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation of all pixels of uint8 images, from exact counts of the levels.

    NaN where there are no images.
    """
    counts = np.zeros(256, np.int64)
    for start in range(0, len(images), 1024):  # bincount makes eight bytes of every pixel
        counts += np.bincount(images[start : start + 1024].reshape(-1), minlength=256)
    if not counts.any():
        return math.nan, math.nan
    levels = np.arange(256.0)
    mean = counts @ levels / counts.sum()
    variance = counts @ np.square(levels - mean) / counts.sum()
    return float(mean), math.sqrt(variance)
