"""How a figure moved over the epochs, a line a run or a split."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from minicnn.viewing.charts import MOST_MARKED, QUIET, TEXT, chart, epoch_axis


@dataclass(frozen=True, eq=False)
class Curve:
    """One line of a chart.

    Parameters
    ----------
    epochs : ndarray (E,), integer
    values : ndarray (E,), float
        NaN where not measured.
    colour : str
        As Matplotlib reads it.
    label : str, default ""
        Written into the chart's key; without one the line is not listed.
    dashed : bool, default False
    """

    epochs: np.ndarray
    values: np.ndarray
    colour: str
    label: str = ""
    dashed: bool = False


def draw_curves(
    curves: Sequence[Curve], *, best_epoch: int | None = None, percent: bool = False
) -> Figure:
    """Curves over the epochs, with a mark at each epoch while there are few.

    Parameters
    ----------
    curves : sequence of Curve
        At least one; those without a finite value are left out.
    best_epoch : int, optional
        Marked with an upright line.
    percent : bool, default False
        Whether the values are shares, to be shown as percentages.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (axes,) = chart()
    epochs = np.concatenate([curve.epochs for curve in curves])
    epoch_axis(axes, int(epochs.min()), int(epochs.max()))
    shown = [curve for curve in curves if np.isfinite(curve.values).any()]
    lines = [_draw(axes, curve) for curve in shown]
    if percent:
        axes.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    if best_epoch is not None:
        _mark(axes, best_epoch)
    named = [line for line, curve in zip(lines, shown, strict=True) if curve.label]
    if named:
        figure.legend(
            handles=named, loc="outside upper left", ncols=len(named), frameon=False, fontsize=TEXT,
            borderpad=0, handlelength=1.6,
        )
    return figure


def _draw(axes: Axes, curve: Curve) -> Line2D:
    (line,) = axes.plot(
        curve.epochs, curve.values, color=curve.colour, label=curve.label, linewidth=1.8,
        linestyle="--" if curve.dashed else "-",
        marker="o" if len(curve.epochs) <= MOST_MARKED else None, markersize=5,
        markerfacecolor="white" if curve.dashed else curve.colour,
    )
    return line


def _mark(axes: Axes, epoch: int) -> None:
    """An upright line at the best epoch, its name above it."""
    axes.axvline(epoch, color=QUIET, linewidth=1, linestyle=":", zorder=0)
    axes.annotate(
        "best epoch", (epoch, 1), xycoords=("data", "axes fraction"), xytext=(0, 2),
        textcoords="offset points", ha="center", va="bottom", fontsize=TEXT, color=QUIET,
    )
