"""The look that all charts share: size, colours, quiet axes.

A point of a figure is a pixel of a page, so that `TEXT` is the size of the page's own small text. A
chart is as wide as half a page, or as a telephone. As PNG, it is drawn dark on white.
"""

import io
import math
from collections.abc import Iterator, Sequence
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullLocator
from matplotlib.transforms import ScaledTranslation

INK = "#222222"
QUIET = "#767676"
GRID = "#e4e4e4"

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
"""Colours that stay apart for colour-blind readers (Okabe and Ito 2008, *Color Universal Design*).

Black is left to the text, and yellow out: it is too pale for a line on white.
"""

WIDTH = 380 / 72
"""Of a chart, in inches: 380 points, pixels of a page."""

TEXT = 13
"""Size of all text, in points; that of tables and captions on a page is 14 pixels."""

MOST_MARKED = 25
"""A line of so many values or fewer has a mark at each."""


class Chart(Figure):
    """A figure that a notebook shows, whether or not it uses Matplotlib's pyplot."""

    def _repr_png_(self) -> bytes:
        stream = io.BytesIO()
        FigureCanvasAgg(self).print_png(stream)
        return stream.getvalue()


def chart(height: float = 3.4, rows: int = 1, columns: int = 1) -> tuple[Figure, list[Axes]]:
    """A white figure `WIDTH` inches wide, and its quiet axes, row by row; their x axis is shared.

    Parameters
    ----------
    height : float, default 3.4
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
    axes.tick_params(length=0, labelsize=TEXT, labelcolor=INK)
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)


def epoch_axis(axes: Axes, first: int, last: int) -> None:
    """Whole epochs from `first` to `last` along x, a single one in the middle."""
    margin = 0.5 if first == last else 0.03 * (last - first)
    axes.set_xlim(first - margin, last + margin)
    ticks = MaxNLocator(nbins=6, integer=True, min_n_ticks=1).tick_values(first, last)
    axes.xaxis.set_major_locator(FixedLocator([tick for tick in ticks if first <= tick <= last]))
    axes.set_xlabel("epoch", fontsize=TEXT, color=QUIET)


def logarithmic(axes: Axes) -> None:
    """A logarithmic y axis with few plain numbers, also where it spans less than a decade."""
    axes.set_yscale("log")
    least, greatest = axes.get_ylim()
    decades = math.log10(greatest / least)
    if decades < 0.5:
        axes.yaxis.set_major_locator(MaxNLocator(3))
    else:
        between = (1, 2, 5) if decades < 1 else (1, 3) if decades <= 2.5 else (1,)
        axes.yaxis.set_major_locator(LogLocator(subs=between))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_locator(NullLocator())


def in_percent(axes: Axes) -> None:
    """Shares along y, as percentages."""
    axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.4g} %"))


def label_ends(
    axes: Axes, labels: Sequence[tuple[float, float, str, str]], *, gap: float = TEXT + 1
) -> None:
    """Write names right of lines, apart from each other, each tied to its line's end.

    Names of lines that end first stand where these end, the others right of the axes.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        With their final limits. The figure keeps the layout that it has with the names.
    labels : sequence of (x, y, text, colour)
        Where a line ends, its name and its colour.
    gap : float, default one line of text
        From the middle of a name to that of the next, in points.
    """
    figure = axes.figure.figure
    if not labels:
        return
    after = ScaledTranslation(TEXT / 72, 0, figure.dpi_scale_trans)
    last = max(x for x, _, _, _ in labels)
    columns: dict[float, list[Annotation]] = {}
    for x, y, text, colour in labels:
        place, beside = (1, axes.get_yaxis_transform()) if x == last else (x, axes.transData)
        columns.setdefault(x, []).append(axes.annotate(
            text, (x, y), xycoords="data", xytext=(place, y), textcoords=beside + after,
            va="center", fontsize=TEXT, color=INK, annotation_clip=False, parse_math=False,
            arrowprops={"arrowstyle": "-", "color": colour, "shrinkA": 1, "shrinkB": 3,
                        "relpos": (0, 0.5)},
        ))
    figure.draw_without_rendering()  # makes room for the names
    figure.set_layout_engine("none")
    point = figure.dpi / 72
    to_pixels, to_data = axes.transData, axes.transData.inverted()
    low, high = axes.bbox.y0 / point, axes.bbox.y1 / point
    for names in columns.values():
        heights = [to_pixels.transform(name.xy)[1] / point for name in names]
        for name, height in zip(names, spread(heights, gap, low, high), strict=True):
            x, _ = name.get_position()
            name.set_position((x, to_data.transform((last, height * point))[1]))


def spread(
    places: Sequence[float], gap: float, low: float = -math.inf, high: float = math.inf
) -> list[float]:
    """Places as near as can be to those given, in the same order, each `gap` from the next.

    Neighbours that come too near each other are set out around their common middle. Of equal places
    the first comes to lie highest. All lie from `low` to `high`; those without room lie above.
    """
    order = np.lexsort((-np.arange(len(places)), np.asarray(places, float)))
    groups: list[tuple[float, int]] = []  # the middle of each, and how many are in it
    for place in np.asarray(places, float)[order]:
        middle, count = float(place), 1
        while groups:
            before, others = groups[-1]
            if middle - before >= (count + others) / 2 * gap:
                break
            groups.pop()
            middle = (middle * count + before * others) / (count + others)
            count += others
        groups.append((middle, count))
    placed = [middle + (step - (count - 1) / 2) * gap
              for middle, count in groups for step in range(count)]
    for step in reversed(range(len(placed))):
        placed[step] = min(placed[step], high - (len(placed) - 1 - step) * gap)
    for step in range(len(placed)):
        placed[step] = max(placed[step], low + step * gap)
    result = [0.0] * len(placed)
    for target, place in zip(order, placed, strict=True):
        result[target] = place
    return result


def line_colours() -> Iterator[str]:
    """`COLOURS`, from the start again when they are used up."""
    return cycle(COLOURS)
