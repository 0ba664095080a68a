"""The pictures of docs/paper.md."""

import numpy as np
from kept_runs import LABEL, Kept, by_rate
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from minicnn.viewing.charts import COLOURS, INK, QUIET, TEXT, chart, epoch_axis

COLOUR = dict(zip(LABEL, COLOURS, strict=False))

LAYERS = {
    "activations": ("conv2d|dense", "output_deviation", "deviation of the outputs", "log"),
    "zeros": ("relu", "output_zeros", "share of outputs that are 0", "percent"),
    "upstream": (
        "conv2d|dense", "upstream_norm", "norm of the gradient that reaches the layer", "log"),
    "gradients": ("conv2d|dense", "gradient_norm", "norm of the weights' gradient", "log"),
}
"""Pictures by name: of which layers, a column of layers.csv, what it is, and its axis."""

STEPS = (1, 2, 16, 64, 2048)
"""Of which the layers are drawn."""


def draw_measure(full: dict[str, list[Kept]], measure: str) -> Figure:
    """Loss or accuracy by epoch, in training (as it ran) and on PublicTest, a line a seed."""
    figure, (axes,) = _chart(3.6)
    for network, runs in full.items():
        for place, run in enumerate(runs):
            for split, style, what in (("train", "--", "training"),
                                       ("validation", "-", "PublicTest")):
                axes.plot(run.history["epoch"], run.history[f"{split}_{measure}"], style,
                          color=COLOUR[network], linewidth=1.4,
                          label=f"{what}, {LABEL[network]}" if not place else "")
    axes.set_ylabel(measure, fontsize=TEXT, color=QUIET)
    epoch_axis(axes, 1, max(len(run.history) for runs in full.values() for run in runs))
    if measure == "accuracy":
        _in_percent(axes)
    _legend_above(figure, 2)
    return figure


def draw_layers(
    full: dict[str, list[Kept]], kind: str, column: str, title: str, scale: str
) -> Figure:
    """A number of each layer of this kind, from the first to the last, at some steps of seed 0."""
    figure, panels = _chart(2.7 * len(full), rows=len(full))
    for axes in panels[1:]:
        axes.sharey(panels[0])
    for axes, (network, runs) in zip(panels, full.items(), strict=True):
        table = runs[0].layers
        table = table[table["layer"].str.match(kind)]
        steps = [step for step in STEPS if step in set(table["step"])]
        for step, shade in zip(steps, np.linspace(0.25, 1, len(steps)), strict=True):
            rows = table[table["step"] == step]
            axes.plot(rows["layer"].str.replace("conv2d_", "conv ").str.replace("_", " "),
                      rows[column], marker="o", markersize=4, linewidth=1.4, alpha=shade,
                      color=COLOUR[network], label=f"step {step:,}")
        if scale == "percent":
            _in_percent(axes)
        else:
            axes.set_yscale(scale)
        axes.set_title(LABEL[network], fontsize=TEXT, color=INK, loc="left")
        axes.legend(frameon=False, fontsize=TEXT, loc="center left", bbox_to_anchor=(1, 0.5))
        axes.tick_params(axis="x", labelrotation=30)
    figure.supylabel(title, fontsize=TEXT, color=QUIET)
    return figure


def draw_rates(runs: list[Kept]) -> Figure:
    """Validation accuracy after three epochs against the learning rate."""
    figure, (axes,) = _chart(3.4)
    for network, found in by_rate(runs).items():
        axes.plot([f"{rate:g}" for rate in found],
                  [history["validation_accuracy"].iloc[-1] for history in found.values()],
                  marker="o", color=COLOUR[network], label=LABEL[network])
    axes.set_xlabel("learning rate of Adam", fontsize=TEXT, color=QUIET)
    axes.set_ylabel("accuracy on PublicTest", fontsize=TEXT, color=QUIET)
    _in_percent(axes)
    _legend_above(figure, 2)
    return figure


def draw_recall(full: dict[str, list[Kept]]) -> Figure:
    """Recall of each class on PrivateTest: bars of means, with the runs' range."""
    figure, (axes,) = _chart(3.4)
    classes = list(next(iter(full.values()))[0].results["test"]["per_class"])
    for place, (network, runs) in enumerate(full.items()):
        recalls = np.array([
            [run.results["test"]["per_class"][name]["recall"] for name in classes] for run in runs])
        mean = recalls.mean(0)
        width = 0.8 / len(full)
        offset = width * (place - (len(full) - 1) / 2)
        axes.bar(np.arange(len(classes)) + offset, mean, 0.95 * width, color=COLOUR[network],
                 yerr=[mean - recalls.min(0), recalls.max(0) - mean], ecolor=INK,
                 label=LABEL[network])
    axes.set_xticks(range(len(classes)), classes, rotation=30)
    axes.set_ylabel("recall on PrivateTest", fontsize=TEXT, color=QUIET)
    _in_percent(axes)
    _legend_above(figure, len(full))
    return figure


def _chart(height: float, rows: int = 1) -> tuple[Figure, list[Axes]]:
    """A chart that is a little wider than those of a report: its keys are longer."""
    figure, axes = chart(height=height, rows=rows)
    figure.set_figwidth(480 / 72)
    return figure, axes


def _legend_above(figure: Figure, columns: int) -> None:
    figure.legend(
        loc="outside upper left", ncols=columns, frameon=False, fontsize=TEXT, borderpad=0
    )


def _in_percent(axes: Axes) -> None:
    axes.yaxis.set_major_formatter(PercentFormatter(1, 0, symbol=" %"))
