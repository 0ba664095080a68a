"""How the running statistics of batch norm moved over the epochs."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from minicnn.viewing.charts import COLOURS, INK, MOST_MARKED, TEXT, chart, epoch_axis, logarithmic


def draw_running_statistics(table: pd.DataFrame, statistic: str) -> Figure:
    """A strip a layer: the statistic's mean over the channels, and the range it lies in.

    Parameters
    ----------
    table : DataFrame
        As `RunFolder.read_batchnorm` gives it, with at least one row.
    statistic : {"mean", "variance"}
        Variances are drawn on a logarithmic axis.

    Returns
    -------
    matplotlib.figure.Figure
        Its strips in the order of the layers.
    """
    layers = list(dict.fromkeys(table["layer"]))
    figure, strips = chart(height=0.7 + 1.15 * len(layers), rows=len(layers))
    for axes, layer in zip(strips, layers, strict=True):
        rows = table[table["layer"] == layer]
        axes.fill_between(
            rows["epoch"], rows[f"{statistic}_least"], rows[f"{statistic}_greatest"],
            color=COLOURS[0], alpha=0.18, linewidth=0,
        )
        axes.plot(
            rows["epoch"], rows[statistic], color=COLOURS[0], linewidth=1.8,
            marker="o" if len(rows) <= MOST_MARKED else None, markersize=3,
        )
        if statistic == "variance":
            logarithmic(axes)
        else:
            axes.yaxis.set_major_locator(MaxNLocator(3))
        axes.set_title(layer, loc="left", fontsize=TEXT, color=INK, pad=3, parse_math=False)
    epoch_axis(strips[-1], int(table["epoch"].min()), int(table["epoch"].max()))
    return figure
