"""From numbers to colours and back: a scale paints values and is drawn as a key beside them."""

from dataclasses import dataclass

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import Colormap, LinearSegmentedColormap, to_hex

from minicnn.viewing.charts import COLOURS

STRENGTH = colormaps["cividis"]
"""From dark, little, to bright, much; one order for all kinds of sight (Nuñez and others 2018)."""

WEIGHT = colormaps["gray"]
"""Black, grey, white: for weights that go both ways round 0."""

EVIDENCE = LinearSegmentedColormap.from_list("evidence", ["#808080", COLOURS[1]])
"""From the grey of a picture to orange."""

STOPS = 9
"""Colours by which a key's gradient is described."""


@dataclass(frozen=True)
class Scale:
    """The colours of the values from `least` to `greatest`.

    Attributes
    ----------
    least, greatest : float
        Values beyond are painted as these.
    colours : matplotlib.colors.Colormap
    """

    least: float
    greatest: float
    colours: Colormap

    @classmethod
    def of(cls, values: np.ndarray, colours: Colormap) -> "Scale":
        """From the least to the greatest of some values."""
        return cls(float(values.min()), float(values.max()), colours)

    @classmethod
    def around_zero(cls, values: np.ndarray, colours: Colormap) -> "Scale":
        """As far to both sides of 0 as the value that is greatest in size."""
        size = float(np.abs(values).max())
        return cls(-size, size, colours)

    def share(self, values: np.ndarray) -> np.ndarray:
        """Where values lie between `least` (0) and `greatest` (1), float64.

        Where these are equal: in the middle round 0, and else at 0. NaN lies at 0.
        """
        if self.greatest == self.least:
            return np.full(np.shape(values), 0.5 if self.colours is WEIGHT else 0.0)
        share = (np.asarray(values, np.float64) - self.least) / (self.greatest - self.least)
        return np.nan_to_num(np.clip(share, 0, 1), nan=0.0)

    def paint(self, values: np.ndarray) -> np.ndarray:
        """The colours of values (...), uint8 RGB (..., 3)."""
        return self.colours(self.share(values), bytes=True)[..., :3]

    @property
    def gradient(self) -> str:
        """The colours from left to right, as CSS."""
        stops = ", ".join(to_hex(self.colours(share)) for share in np.linspace(0, 1, STOPS))
        return f"linear-gradient(to right, {stops})"
