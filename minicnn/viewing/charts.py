"""The look that all charts share: size, colours, quiet axes.

Charts are drawn dark on white, small enough to be read on a phone. A page that is shown dark
inverts them.
"""

import io
from collections.abc import Iterator
from itertools import cycle

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

INK = "#222222"
QUIET = "#767676"
GRID = "#e4e4e4"

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
"""Colours that stay apart for colour-blind readers (Okabe and Ito 2008, *Color Universal Design*).

Black is left to the text, and yellow out: it is too pale for a line on white.
"""

WIDTH = 4.6
"""Of a chart, in inches."""


class Chart(Figure):
    """A figure that a notebook shows, whether or not it uses Matplotlib's pyplot."""

    def _repr_png_(self) -> bytes:
        stream = io.BytesIO()
        FigureCanvasAgg(self).print_png(stream)
        return stream.getvalue()


def chart(height: float = 3.0, rows: int = 1, columns: int = 1) -> tuple[Figure, list[Axes]]:
    """A white figure `WIDTH` inches wide, and its quiet axes, row by row; their x axis is shared.

    Parameters
    ----------
    height : float, default 3.0
        In inches.
    rows, columns : int, default 1
        Of axes, each at least 1.

    Returns
    -------
    figure : matplotlib.figure.Figure
    axes : list of rows · columns matplotlib.axes.Axes
    """
    figure = Chart(figsize=(WIDTH, height), dpi=180, layout="constrained", facecolor="white")
    axes = list(figure.subplots(rows, columns, sharex=True, squeeze=False).flat)
    for one in axes:
        quieten(one)
    return figure, axes


def quieten(axes: Axes) -> None:
    """Take the frame away, and set grid and numbers back."""
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(QUIET)
    axes.tick_params(length=0, labelsize=8.5, labelcolor=INK)
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)


def epoch_axis(axes: Axes, first: int, last: int) -> None:
    """Whole epochs from `first` to `last` along x, a single one in the middle."""
    margin = 0.5 if first == last else 0.03 * (last - first)
    axes.set_xlim(first - margin, last + margin)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, min_n_ticks=1))
    axes.set_xlabel("epoch", fontsize=9, color=QUIET)


def line_colours() -> Iterator[str]:
    """`COLOURS`, from the start again when they are used up."""
    return cycle(COLOURS)
