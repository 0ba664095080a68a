"""How a figure moved over the epochs, a line a run or a split."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from minicnn.viewing.charts import (
    INK,
    MOST_MARKED,
    QUIET,
    TEXT,
    chart,
    epoch_axis,
    in_percent,
    label_ends,
    logarithmic,
)


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
    end : str, default ""
        Written beside the line's last value.
    """

    epochs: np.ndarray
    values: np.ndarray
    colour: str
    label: str = ""
    dashed: bool = False
    end: str = ""


def draw_curves(
    curves: Sequence[Curve], *, best_epoch: int | None = None, percent: bool = False,
    factors: bool = False, from_zero: bool = False,
) -> Figure:
    """Curves over the epochs, with a mark at each epoch while there are few.

    A curve that others hide is drawn wider than they, to be seen on both sides of them.

    Parameters
    ----------
    curves : sequence of Curve
        At least one; those without a finite value are left out.
    best_epoch : int, optional
        Marked with an upright line.
    percent : bool, default False
        Whether the values are shares, to be shown as percentages.
    factors : bool, default False
        Whether what matters is by how many times they differ: a logarithmic axis, if all are above
        0 and they span more than two decades.
    from_zero : bool, default False
        Whether the axis of the values begins at 0.

    Returns
    -------
    matplotlib.figure.Figure
    """
    shown = [curve for curve in curves if np.isfinite(curve.values).any()]
    ended = sum(bool(curve.end) for curve in shown)
    figure, (axes,) = chart(height=max(3.4, 0.9 + ended * (TEXT + 1) / 72))
    epochs = np.concatenate([curve.epochs for curve in curves])
    epoch_axis(axes, int(epochs.min()), int(epochs.max()))
    lines = [_draw(axes, curve, _hiding(shown[place:])) for place, curve in enumerate(shown)]
    if percent:
        in_percent(axes)
    values = np.concatenate([curve.values[np.isfinite(curve.values)] for curve in curves])
    if factors and len(values) and 0 < 100 * values.min() < values.max():
        logarithmic(axes)
    if from_zero:
        axes.set_ylim(bottom=0)
    if best_epoch is not None:
        _mark(axes, best_epoch)
    named = [line for line, curve in zip(lines, shown, strict=True) if curve.label]
    if named:
        key = figure.legend(
            handles=named, loc="outside upper left", ncols=len(named), frameon=False, fontsize=TEXT,
            borderpad=0, handlelength=1.6, columnspacing=1.2, labelcolor=INK,
        )
        for text in key.get_texts():
            text.set_parse_math(False)
    label_ends(axes, [_end(curve) for curve in shown if curve.end])
    return figure


def _draw(axes: Axes, curve: Curve, hiding: int) -> Line2D:
    """The curve, wider than the `hiding` ones that will be drawn on it."""
    (line,) = axes.plot(
        curve.epochs, curve.values, color=curve.colour, label=curve.label,
        linewidth=1.8 + 1.8 * min(hiding, 3), linestyle="--" if curve.dashed else "-",
        marker="o" if len(curve.epochs) <= MOST_MARKED else None,
        markersize=5 + 2 * min(hiding, 3), markeredgewidth=1.2,
        markerfacecolor="white" if curve.dashed else curve.colour,
    )
    return line


def _hiding(curves: Sequence[Curve]) -> int:
    """How many of the later curves lie on the first: within 0.3 % of its range, half the time."""
    first, *later = curves
    finite = np.isfinite(first.values)
    near = 0.003 * (np.ptp(first.values[finite]) or abs(float(first.values[finite][0])) or 1.0)
    count = 0
    for curve in later:
        _, here, there = np.intersect1d(
            first.epochs[finite], curve.epochs, assume_unique=False, return_indices=True)
        same = np.abs(first.values[finite][here] - curve.values[there]) <= near
        count += bool(len(same)) and bool(2 * same.sum() >= finite.sum())
    return count


def _end(curve: Curve) -> tuple[float, float, str, str]:
    """Where the curve ends, what stands there, and its colour: see `label_ends`."""
    last = np.flatnonzero(np.isfinite(curve.values))[-1]
    return float(curve.epochs[last]), float(curve.values[last]), curve.end, curve.colour


def _mark(axes: Axes, epoch: int) -> None:
    """An upright line at the best epoch, its name above it."""
    axes.axvline(epoch, color=QUIET, linewidth=1, linestyle=":", zorder=0)
    axes.annotate(
        "best epoch", (epoch, 1), xycoords=("data", "axes fraction"), xytext=(0, 2),
        textcoords="offset points", ha="center", va="bottom", fontsize=TEXT, color=QUIET,
    )
