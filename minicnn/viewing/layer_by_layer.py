"""What training does to the layers: spread, zeros and gradients of each, at steps 1, 2, 4, …

A layer with weights stands for the part of the network from it to the next one: with the batch,
layer or group norm that directly follows it, and the activation after that. So networks with and
without one have the same lines.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_hex
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from minicnn.runs.folder import RunFolder
from minicnn.viewing.charts import (
    MOST_MARKED,
    QUIET,
    TEXT,
    chart,
    in_percent,
    label_ends,
    logarithmic,
)
from minicnn.viewing.pictures import Picture

DEPTH = LinearSegmentedColormap.from_list(
    "depth", ["#2b7bba", "#7d62c3", "#c04a94", "#d55e00"])
"""From the first layer to the last: all of a middle lightness, to be seen on white and on black."""


_NORMALISING = ("batchnorm_", "layernorm_", "groupnorm_")
"""How the names begin that a network gives to its layers that normalise."""


@dataclass(frozen=True)
class Measure:
    """One thing that is noted of each layer.

    Attributes
    ----------
    name : str
        In ids and names of files.
    title : str
    share : bool
        Whether it is a share, from 0 to 1; else it is drawn on a logarithmic axis.
    """

    name: str
    title: str
    share: bool = False


MEASURES = (
    Measure("spread", "spread before the activation (standard deviation)"),
    Measure("zeros", "share of zeros after the activation", share=True),
    Measure("gradient", "gradient that arrives (norm)"),
)


@dataclass(frozen=True)
class Row:
    """The charts of one measure.

    Attributes
    ----------
    measure : Measure
    pictures : list of Picture
        One a run that has figures of it.
    runs : list of int
        Which run each is of.
    """

    measure: Measure
    pictures: list[Picture]
    runs: list[int]


def layer_pictures(folders: Sequence[RunFolder]) -> list[Row]:
    """The charts of each measure, of all runs on the same axes.

    Parameters
    ----------
    folders : sequence of RunFolder
        Those without ``layers.csv``, which earlier versions did not write, have no chart.

    Returns
    -------
    list of Row
        Without the measures that no run has figures of.

    Raises
    ------
    InputError
        Where a ``layers.csv`` or ``batchnorm.csv`` is damaged.
    """
    lines = {place: _lines_of(folder) for place, folder in enumerate(folders)
             if folder.layers.exists()}
    rows = []
    for measure in MEASURES:
        tables = {place: found[measure.name] for place, found in lines.items()}
        tables = {place: table for place, table in tables.items()
                  if _drawable(table, measure).any(axis=None)}
        if not tables:
            continue
        limits = value_limits(list(tables.values()), measure)
        steps = (min(int(table.index.min()) for table in tables.values()),
                 max(int(table.index.max()) for table in tables.values()))
        pictures = [
            Picture.of_figure(
                f"layers-{measure.name}" + (f"-{place + 1}" if len(folders) > 1 else ""),
                draw_layers(table, measure, limits=limits, steps=steps),
                describe_layers(table, measure),
            )
            for place, table in tables.items()
        ]
        rows.append(Row(measure, pictures, list(tables)))
    return rows


def _lines_of(folder: RunFolder) -> dict[str, pd.DataFrame]:
    """The lines of a run's measures; names, and ``batchnorm.csv``, tell what normalises."""
    table = folder.read_layers()
    normalising = table["layer"][table["layer"].str.startswith(_NORMALISING)]
    if folder.batchnorm.exists():
        normalising = pd.concat([normalising, folder.read_batchnorm()["layer"]])
    return layer_lines(table, list(normalising.unique()))


def layer_lines(table: pd.DataFrame, normalising: Sequence[str] = ()) -> dict[str, pd.DataFrame]:
    """The lines of each measure.

    Parameters
    ----------
    table : DataFrame
        As `RunFolder.read_layers` gives it.
    normalising : sequence of str, default ()
        Names of the layers that normalise.

    Returns
    -------
    dict of str to DataFrame
        By name of the measure a table with a row a step, ascending, and a column a layer with
        weights, in the order of the network. NaN where there is no figure. A layer that no
        activation follows has no column for zeros. Empty tables where no layer has weights.
    """
    order = list(dict.fromkeys(table["layer"]))
    weighted = set(table.loc[table["weight_norm"].notna(), "layer"]) - set(normalising)
    columns: dict[str, dict[str, str]] = {"spread": {}, "zeros": {}, "gradient": {}}
    for place, layer in enumerate(order):
        if layer not in weighted:
            continue
        after = place + 1
        normalised = after < len(order) and order[after] in normalising
        columns["spread"][layer] = order[after] if normalised else layer
        columns["gradient"][layer] = layer
        after += normalised
        if after < len(order) and order[after] not in weighted:
            columns["zeros"][layer] = order[after]
    sources = {"spread": "output_deviation", "zeros": "output_zeros", "gradient": "upstream_norm"}
    found = {}
    for name, column in sources.items():
        wide = table.drop_duplicates(["step", "layer"], keep="last").pivot(
            index="step", columns="layer", values=column).sort_index()
        found[name] = pd.DataFrame(
            {layer: wide[source] for layer, source in columns[name].items()}, index=wide.index
        ).replace([np.inf, -np.inf], np.nan)
    return found


def draw_layers(
    lines: pd.DataFrame, measure: Measure, *, limits: tuple[float, float] | None = None,
    steps: tuple[int, int] | None = None,
) -> Figure:
    """A line a layer over the steps, from the first layer in blue to the last in orange.

    Parameters
    ----------
    lines : DataFrame
        One of `layer_lines`.
    measure : Measure
        The same one.
    limits : (float, float), optional
        Of the values' axis, as `value_limits` finds them for several runs; by default for this one.
    steps : (int, int), optional
        The first and the last step of the axis; by default of `lines`.

    Returns
    -------
    matplotlib.figure.Figure
        As high as the layers' names need.
    """
    shown = [layer for layer in lines if _drawable(lines[layer], measure).any()]
    figure, (axes,) = chart(height=max(3.4, 0.9 + len(shown) * (TEXT + 1) / 72))
    first, last = steps or (int(lines.index.min()), int(lines.index.max()))
    _step_axis(axes, first, last)
    _value_axis(axes, measure, limits or value_limits([lines], measure))
    ends = []
    for layer in shown:
        values = lines[layer].where(_drawable(lines[layer], measure))
        place = list(lines).index(layer)
        colour = to_hex(DEPTH(place / max(len(lines.columns) - 1, 1)))
        axes.plot(lines.index, values, color=colour, linewidth=1.8, markersize=4,
                  marker="o" if len(values) <= MOST_MARKED else None)
        end = values.last_valid_index()
        ends.append((float(end), float(values[end]), layer, colour))
    label_ends(axes, ends)
    return figure


def value_limits(tables: Sequence[pd.DataFrame], measure: Measure) -> tuple[float, float]:
    """Limits of an axis that holds the values of all these tables."""
    if measure.share:
        return 0.0, 1.0
    values = np.concatenate([table.to_numpy(float).ravel() for table in tables])
    values = values[np.isfinite(values) & (values > 0)]
    if not len(values):
        return 0.1, 10.0
    least, greatest = float(values.min()), float(values.max())
    margin = (greatest / least) ** 0.05 if greatest > 4 * least else 2
    return least / margin, greatest * margin


def _drawable(values: Any, measure: Measure) -> Any:
    """Which values of a table or a column have a place on the axis."""
    return np.isfinite(values) & ((values >= 0) if measure.share else (values > 0))


def _step_axis(axes: Axes, first: int, last: int) -> None:
    """Steps along x, each power of two as far from the next; few of them named."""
    axes.set_xscale("log", base=2)
    axes.set_xlim(first / 1.15, last * 1.15)
    powers = [2**power for power in range(first.bit_length() - 1, last.bit_length())]
    axes.xaxis.set_major_locator(FixedLocator(powers[:: -(-len(powers) // 6)]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda step, _: f"{step:,.0f}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("step", fontsize=TEXT, color=QUIET)


def _value_axis(axes: Axes, measure: Measure, limits: tuple[float, float]) -> None:
    """The measure along y, within these limits."""
    axes.set_ylim(*limits)
    if measure.share:
        in_percent(axes)
    else:
        logarithmic(axes)


def describe_layers(lines: pd.DataFrame, measure: Measure) -> str:
    """What a chart of `draw_layers` shows, in words: each layer's first and last value."""
    said = []
    for layer in lines:
        values = lines[layer].dropna()
        if len(values):
            form = "{:.0%}" if measure.share else "{:.3g}"
            ends = [form.format(values.iloc[place]) for place in (0, -1)]
            said.append(f"{layer} {ends[0]} at step {values.index[0]:,}, "
                        f"{ends[1]} at step {values.index[-1]:,}")
    return f"{measure.title[:1].upper()}{measure.title[1:]}, by step: {'; '.join(said)}."
