"""Test-time augmentation (TTA): several views of one picture, whose answers are averaged."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any, Self

import numpy as np

from minicnn import validation
from minicnn.data.dataset import IMAGE_SIZE
from minicnn.errors import InputError


@dataclass(frozen=True)
class Views:
    """Which views of a picture a classifier is shown; the picture itself is always the first.

    Averaging a classifier's probabilities over shifted and mirrored crops is how Krizhevsky,
    Sutskever and Hinton (2012, *ImageNet classification with deep convolutional neural networks*,
    section 4.1) tested theirs.

    Parameters
    ----------
    mirror : bool, default False
        Each view mirrored, left to right, too.
    shift : int from 0 to 48, default 0
        The picture shifted by so many pixels, down, up, left, right and along both diagonals, too;
        what comes into sight is the nearest pixel of its edge.

    Raises
    ------
    TypeError, ValueError
        Where a setting has the wrong type or range.

    Examples
    --------
    >>> from minicnn.data.views import Views
    >>> len(Views()), len(Views(mirror=True)), len(Views(mirror=True, shift=3))
    (1, 2, 18)
    """

    mirror: bool = False
    shift: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "mirror", validation.flag("Views", "mirror", self.mirror))
        object.__setattr__(self, "shift", validation.integer("Views", "shift", self.shift, 0))
        if self.shift > IMAGE_SIZE:
            raise ValueError(f"Views: shift must be at most {IMAGE_SIZE}, got {self.shift!r}")

    def __len__(self) -> int:
        return (9 if self.shift else 1) * (2 if self.mirror else 1)

    def __call__(self, images: np.ndarray) -> Iterator[np.ndarray]:
        """The views of a batch, one after the other.

        Parameters
        ----------
        images : ndarray, float32 or float64 (N, H, W, C)

        Yields
        ------
        ndarray (N, H, W, C)
            The first is `images` itself.
        """
        yield images
        _, height, width, _ = images.shape
        steps = (0, -self.shift, self.shift) if self.shift else (0,)
        for flip, down, across in list(product((False, True)[: 1 + self.mirror], steps, steps))[1:]:
            rows = np.clip(np.arange(height) - down, 0, height - 1)
            columns = np.clip(np.arange(width) - across, 0, width - 1)
            yield images[:, rows[:, None], columns[::-1] if flip else columns]

    def as_dict(self) -> dict[str, Any]:
        """For a model's metadata."""
        return asdict(self)

    @classmethod
    def of_model(cls, metadata: Mapping[str, Any], where: str) -> Self:
        """The views that a model's metadata names under ``"views"``; the picture alone without.

        Parameters
        ----------
        metadata : mapping
            The model's, as `as_dict` went into it.
        where : str
            What error messages call the model: its path.

        Raises
        ------
        InputError
            Where the metadata holds something else there.
        """
        settings = metadata.get("views", {})
        try:
            return cls(**settings)
        except (TypeError, ValueError) as error:
            raise InputError(f"{where}: expected the metadata to hold views with mirror and shift, "
                             f"got {settings!r}") from error
