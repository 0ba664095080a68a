"""A figure as an SVG file that reads on a light page and on a dark one."""

import io
import os
import re
from pathlib import Path

import matplotlib
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from minicnn.files.paths import as_path
from minicnn.files.writing import atomic_write_text
from minicnn.viewing.charts import COLOURS, GRID, INK, QUIET

DARK = {
    "#ffffff": "#0d1117", INK: "#e6e3dc", QUIET: "#9c9991", GRID: "#37393d", "#e8e8e8": "#30343a",
    **dict(zip(COLOURS, ("#3f9edb", "#f0803c", "#1fbf92", "#d98fb8", "#8fd0f5", "#f0b429"),
               strict=True)),
}
"""What a colour becomes where the reader prefers dark: paper, text, lines, then `COLOURS`."""

_SHEET = re.compile(r"<style>@media \(prefers-color-scheme: dark\).*?</style>\n")


def save_svg(figure: Figure, path: str | os.PathLike, *, enlarged: float = 1.0) -> Path:
    """Write a figure as SVG, atomically: equal figures become equal files.

    A viewer that knows no preference, or no style sheets, shows it as it was drawn.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Drawn in the colours of `minicnn.viewing.charts` on white.
    path : path
        The file; its folder must exist.
    enlarged : float > 0, default 1.0
        Pixels of a page to a point of the figure.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    InputError
        Where `path` cannot be written.
    """
    path = as_path(path)
    atomic_write_text(path, svg_of(figure, path.stem, enlarged=enlarged))
    return path


def svg_of(figure: Figure, name: str, *, enlarged: float = 1.0) -> str:
    """The text of the file that `save_svg` writes under this name."""
    stream = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": name, "svg.fonttype": "none"}):
        FigureCanvasSVG(figure).print_svg(stream, metadata={"Date": None})
    return with_dark_colours(re.sub(
        r'(width|height)="([\d.]+)pt"',
        lambda found: f'{found[1]}="{enlarged * float(found[2]):g}"', stream.getvalue().decode(),
    ))


def with_dark_colours(svg: str) -> str:
    """An SVG of Matplotlib's whose colours change by `DARK` where the reader prefers dark."""
    rules = " ".join(
        f'[style*="{what}: {light.lower()}"] {{ {what}: {dark} !important }}'
        for light, dark in DARK.items() for what in ("fill", "stroke")
    )
    sheet = (
        f"<style>@media (prefers-color-scheme: dark) {{ svg {{ fill: {DARK[INK]} }} {rules} }} "
        "text { white-space: pre }</style>\n"
    )
    return _SHEET.sub("", svg).replace("</svg>", f"{sheet}</svg>")
