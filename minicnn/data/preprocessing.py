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
        """Mean and deviation of all pixels of the training images.

        Parameters
        ----------
        images : ndarray, uint8 (N, H, W)
            Grey levels, at least one.

        Returns
        -------
        Preprocessing
            A deviation of 0 becomes 1, so that images of one grey level stay finite.

        Raises
        ------
        ValueError
            For an array of another dtype or number of axes, or without a pixel.
        """
        images = _checked("Preprocessing.fit", images)
        if images.size == 0:
            raise ValueError(
                f"Preprocessing.fit: images must hold a pixel or more, got shape {images.shape}"
            )
        mean, deviation = pixel_moments(images)
        return cls(mean, deviation or 1.0)

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """What a network is fed.

        Parameters
        ----------
        images : ndarray, uint8 (N, H, W)
            Grey levels.

        Returns
        -------
        ndarray, float32 (N, H, W, 1)
            The standardised levels.

        Raises
        ------
        ValueError
            For an array of another dtype or number of axes.
        """
        images = _checked("Preprocessing", images)
        scale = np.float32(1 / self.deviation)
        return ((images.astype(np.float32) - np.float32(self.mean)) * scale)[..., None]

    def as_dict(self) -> dict[str, float]:
        """For a model's metadata."""
        return asdict(self)

    @classmethod
    def of_model(cls, metadata: Mapping[str, Any], where: str) -> Self:
        """The preprocessing that a model's metadata names under ``"preprocessing"``.

        Parameters
        ----------
        metadata : mapping
            The model's, as `as_dict` went into it.
        where : str
            What error messages call the model: its path.

        Returns
        -------
        Preprocessing

        Raises
        ------
        InputError
            Where it is missing or not two finite numbers, the deviation above 0.
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
    """Mean and standard deviation of all pixels, from exact counts of the grey levels.

    Parameters
    ----------
    images : ndarray, uint8 (N, H, W)

    Returns
    -------
    mean, deviation : float
        That of the population, on the scale 0 to 255; NaN where there are no images.
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


def _checked(operation: str, images: np.ndarray) -> np.ndarray:
    images = np.asarray(images)
    if images.dtype != np.uint8 or images.ndim != 3:
        raise ValueError(
            f"{operation}: images must be uint8 (N, H, W), got {images.dtype} {images.shape}"
        )
    return images
