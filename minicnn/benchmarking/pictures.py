"""The measurement in pictures: bars, the roofline, and how cost grows."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from minicnn.benchmarking.results import Results, Row
from minicnn.benchmarking.work import BACKWARD, FORWARD
from minicnn.viewing.charts import COLOURS, INK, QUIET, quieten
from minicnn.viewing.svg_file import save_svg

MARKERS = {FORWARD: "o", BACKWARD: "s"}


def write_pictures(results: Results, folder: Path) -> None:
    """``layers.svg``, ``roofline.svg`` and ``growth.svg``."""
    threads = max(results.ceilings)
    for name, figure in (
        ("layers", layer_bars(results, threads)), ("roofline", roofline(results, threads)),
        ("growth", growth_lines(results)),
    ):
        save_svg(figure, folder / f"{name}.svg", enlarged=4 / 3)


def layer_bars(results: Results, threads: int) -> Figure:
    """Milliseconds of every layer, forward and backward side by side, a bar a program."""
    rows = _layer_rows(results, threads)
    layers, programs = _unique(row.layer for row in rows), _unique(row.program for row in rows)
    figure, axes = _figure(8.0, 0.26 * len(layers) + 1.0, columns=2)
    height = 0.8 / len(programs)
    for one, stage in zip(axes, (FORWARD, BACKWARD), strict=True):
        for place, program in enumerate(programs):
            times = {row.layer: row.milliseconds for row in rows
                     if (row.stage, row.program) == (stage, program)}
            positions = np.arange(len(layers)) + (place - (len(programs) - 1) / 2) * height
            one.barh(positions, [times.get(layer, 0) for layer in layers], height,
                     color=COLOURS[place], label=program)
        one.set_yticks(range(len(layers)), layers if stage == FORWARD else [""] * len(layers))
        one.set_ylim(len(layers) - 0.4, -0.6)
        one.grid(axis="y", visible=False)
        one.grid(axis="x", color="#e4e4e4", linewidth=0.8)
        one.set_title(f"{stage}, milliseconds", fontsize=9.5, color=INK, loc="left")
    axes[1].legend(frameon=False, fontsize=9, loc="lower right")
    return figure


def roofline(results: Results, threads: int) -> Figure:
    """What each layer computes a second over what it computes a byte, under the machine's roof.

    Williams, Waterman and Patterson 2009, *Roofline: an insightful visual performance model*.
    """
    figure, (axes,) = _figure(7.0, 4.6)
    most = results.ceilings[threads]
    rows = [row for row in _layer_rows(results, threads) if row.gflop > 0]
    lowest, highest = 0.05, 1500.0
    intensities = np.geomspace(lowest, highest, 200)
    axes.plot(intensities, np.minimum(most.gflops, intensities * most.gigabytes), color=INK,
              linewidth=1.4)
    axes.annotate(f"{most.gflops:.0f} GFLOP/s of multiply-adds", (lowest, most.gflops), (4, 5),
                  textcoords="offset points", fontsize=8, color=QUIET)
    axes.annotate(f"{most.gigabytes:.0f} GB/s of copying", (1, most.gigabytes), (-10, 4),
                  textcoords="offset points", ha="right", fontsize=8, color=QUIET)
    for place, program in enumerate(_unique(row.program for row in rows)):
        for stage, marker in MARKERS.items():
            points = [(row.gflop / row.gigabytes, row.gflops) for row in rows
                      if (row.program, row.stage) == (program, stage)]
            x, y = zip(*points, strict=True)
            axes.scatter(x, y, s=22, marker=marker, color=COLOURS[place], alpha=0.8, linewidths=0,
                         label=f"{program}, {stage}")
    _log(axes, "operations a byte", "GFLOP/s")
    axes.set_xlim(lowest, highest)
    axes.legend(frameon=False, fontsize=8.5, loc="lower right")
    return figure


def growth_lines(results: Results) -> Figure:
    """Milliseconds of a convolution against batch size, image side and channels."""
    kinds = _unique(growth.of for growth in results.growth)
    figure, axes = _figure(8.0, 3.0, columns=len(kinds))
    for one, of in zip(axes, kinds, strict=True):
        for place, growth in enumerate(line for line in results.growth if line.of == of):
            one.plot(growth.sizes, growth.milliseconds, marker="o", markersize=4,
                     color=COLOURS[place], label=f"{growth.program} ∝ n^{growth.exponent:.2f}")
        _log(one, of, "milliseconds" if of == kinds[0] else "")
        sizes = next(line.sizes for line in results.growth if line.of == of)
        one.set_xticks(sizes, [str(size) for size in sizes])
        one.minorticks_off()
        one.legend(frameon=False, fontsize=8, loc="upper left")
    return figure


def _layer_rows(results: Results, threads: int) -> list[Row]:
    """Forward and backward of the layers, on so many threads."""
    return [
        row for row in results.rows
        if row.threads == threads and row.stage in MARKERS and row.layer != "inference"
    ]


def _unique(values: Iterable[str]) -> list[str]:
    """Each value once, in the order of their first appearance."""
    return list(dict.fromkeys(values))


def _figure(width: float, height: float, columns: int = 1) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(width, height), dpi=180, layout="constrained", facecolor="white")
    axes = list(figure.subplots(1, columns, squeeze=False).flat)
    for one in axes:
        quieten(one)
        one.tick_params(labelsize=9)
    return figure, axes


def _log(axes: Axes, x: str, y: str) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel(x, fontsize=9, color=QUIET)
    axes.set_ylabel(y, fontsize=9, color=QUIET)
