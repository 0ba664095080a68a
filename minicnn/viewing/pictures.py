"""A picture: made from a chart or from pixels, kept as a PNG file or inside a page."""

import base64
import html
import io
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from minicnn.files.paths import as_path
from minicnn.files.writing import atomic_path
from minicnn.viewing.inline_svg import inline_svg


@dataclass(frozen=True)
class Picture:
    """A PNG and what it shows; of a chart an SVG too.

    Parameters
    ----------
    name : str
        Of its file, without ``.png``.
    png : bytes
    description : str
        For those who cannot see it.
    svg : str, default ""
        An ``svg`` element for a page: see `inline_svg`. Empty for pixels.
    """

    name: str
    png: bytes
    description: str
    svg: str = ""

    @classmethod
    def of_figure(cls, name: str, figure: Figure, description: str) -> "Picture":
        """The picture of a Matplotlib figure; the PNG by Agg at the figure's own resolution."""
        stream = io.BytesIO()
        FigureCanvasAgg(figure).print_png(stream)
        return cls(name, stream.getvalue(), description, inline_svg(name, figure, description))

    @classmethod
    def of_pixels(cls, name: str, pixels: np.ndarray, description: str) -> "Picture":
        """The picture of pixels: uint8, grey (H, W), RGB (H, W, 3) or RGBA (H, W, 4)."""
        stream = io.BytesIO()
        Image.fromarray(pixels).save(stream, "png", optimize=True)
        return cls(name, stream.getvalue(), description)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        return f'<img src="{self.uri}" alt="{html.escape(self.description)}">'

    @property
    def uri(self) -> str:
        """As a ``data:`` address, so that a page needs no other file."""
        return "data:image/png;base64," + base64.b64encode(self.png).decode("ascii")

    def save(self, folder: str | os.PathLike) -> Path:
        """Write ``<name>.png`` into a folder, atomically, and return its path.

        Raises
        ------
        InputError
            Where the folder does not exist.
        """
        path = as_path(folder) / f"{self.name}.png"
        with atomic_path(path) as temporary:
            temporary.write_bytes(self.png)
        return path
