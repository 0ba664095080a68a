"""The README's two pictures: a verdict of ``minicnn check``, and batch norm against none.

    python docs/readme_pictures.py               # draw them
    python docs/readme_pictures.py RUN PLAIN     # from two new runs

The runs are those of ``minicnn train drawn-faces`` and ``minicnn train drawn-faces-plain``; what is
drawn of them is kept in docs/images/batch-norm.csv.
"""

import argparse
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from rich.console import Console

from minicnn.checking import check_file
from minicnn.checking.students.display import describe_findings
from minicnn.runs.folder import RunFolder
from minicnn.viewing.charts import COLOURS, INK, QUIET, quieten
from minicnn.viewing.svg_file import save_svg

IMAGES = Path(__file__).parent / "images"
FIGURES = IMAGES / "batch-norm.csv"

SIZE = (410, 436)
"""Of a picture, in points: two stand side by side in the README, one on a telephone."""

TEXT, LINE = 12, 17
"""Size of letters, and from one line of the verdict to the next, in points."""

COLUMNS = 56
"""Letters in a line of the verdict."""

RUNS = {"with batch norm": COLOURS[0], "without": COLOURS[1]}

PLACES = {"zeros": "relu_3 in training: how many of its outputs are 0",
          "accuracy": "how many validation faces are named right"}

HOMEWORK = '''\
import numpy as np


def batchnorm_forward(x, gamma, beta, running_mean, running_var, *, training,
                      momentum=0.9, eps=1e-5):
    axes = tuple(range(x.ndim - 1))
    mean, var = x.mean(axes), x.var(axes)
    if training:
        running_mean[:] = momentum * running_mean + (1 - momentum) * mean
        running_var[:] = momentum * running_var + (1 - momentum) * var
    else:
        mean, var = running_mean.copy(), running_var.copy()
    std = np.sqrt(var + eps)
    xhat = (x - mean) / std
    return gamma * xhat + beta, (xhat, gamma, std)


def batchnorm_backward(dy, cache):
    xhat, gamma, std = cache
    axes = tuple(range(dy.ndim - 1))
    dxhat = dy * gamma
    dx = (dxhat - dxhat.mean(axes)) / std
    return dx, (dy * xhat).sum(axes), dy.sum(axes)
'''
"""What is checked; the picture shows its last function."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="*", type=Path, metavar="RUN PLAIN")
    runs = parser.parse_args().runs
    if len(runs) not in (0, 2):
        parser.error("expected two runs or none")
    if runs:
        keep(*map(RunFolder, runs))
    for name, figure in pictures().items():
        save_svg(figure, IMAGES / f"{name}.svg")


def keep(run: RunFolder, plain: RunFolder) -> None:
    """Write what the picture shows of the two runs."""
    parts = []
    for name, folder in zip(RUNS, (run, plain), strict=True):
        layers = pd.read_csv(folder.layers)
        zeros = layers[layers["layer"] == "relu_3"].rename(
            columns={"step": "at", "output_zeros": "value"})
        accuracy = folder.read_history().rename(
            columns={"epoch": "at", "validation_accuracy": "value"})
        parts += [part[["at", "value"]].assign(run=name, figure=figure)
                  for figure, part in (("zeros", zeros), ("accuracy", accuracy))]
    table = pd.concat(parts)[["run", "figure", "at", "value"]]
    table.to_csv(FIGURES, index=False, float_format="%.4f", lineterminator="\n")


def pictures() -> dict[str, Figure]:
    """By the name of the file."""
    return {"verdict": verdict(), "batch-norm": batch_norm()}


def verdict() -> Figure:
    """A homework's last function, and what ``minicnn check`` says of it."""
    figure = Figure(figsize=(SIZE[0] / 72, SIZE[1] / 72), facecolor="white")
    height = SIZE[1] - 18
    for text, colour, weight in [*_code(), *_verdict()]:
        figure.text(4 / SIZE[0], height / SIZE[1], text, color=colour, weight=weight,
                    fontsize=TEXT, family="monospace", parse_math=False)
        height -= LINE
    return figure


def _code() -> Iterator[tuple[str, str, str]]:
    """Text, colour and weight of each line of the homework."""
    lines = HOMEWORK.splitlines()
    for text in lines[lines.index("def batchnorm_backward(dy, cache):"):]:
        yield text, COLOURS[0] if text.startswith("    dx =") else INK, "normal"
    yield "", INK, "normal"


def _verdict() -> Iterator[tuple[str, str, str]]:
    """The same of what is said of it, in lines of `COLUMNS` letters."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "homework.py"
        file.write_text(HOMEWORK, encoding="utf-8")
        findings = check_file(file)
    faults = {finding.fault for finding in findings}
    console = Console(width=COLUMNS, file=StringIO(), color_system=None, legacy_windows=False)
    console.print(describe_findings(findings))
    yield "$ minicnn check homework.py", QUIET, "normal"
    for text in console.file.getvalue().splitlines():
        if text.strip() in faults:
            yield text[2:], COLOURS[1], "bold"
        elif text.startswith("    "):
            yield text[2:].rstrip(), INK, "normal"
        else:
            right = text.rstrip().endswith("correct")
            yield text, COLOURS[2] if right else COLOURS[1], "normal" if right else "bold"


def batch_norm() -> Figure:
    """Two runs that differ by batch norm alone: what a layer does, and what comes of it."""
    figure = Figure(figsize=(SIZE[0] / 72, SIZE[1] / 72), layout="constrained", facecolor="white")
    figure.get_layout_engine().set(hspace=0.1)
    table = pd.read_csv(FIGURES)
    for axes, (what, title) in zip(figure.subplots(2), PLACES.items(), strict=True):
        quieten(axes)
        for name, colour in RUNS.items():
            rows = table[(table["figure"] == what) & (table["run"] == name)]
            axes.plot(rows["at"], rows["value"], color=colour, marker="o", markersize=4,
                      linewidth=1.8, label=name)
        axes.set_title(title, loc="left", fontsize=TEXT, color=INK)
        axes.yaxis.set_major_formatter(PercentFormatter(1, 0, symbol=" %"))
        axes.tick_params(labelsize=TEXT)
        steps = sorted(set(table["at"][table["figure"] == what]))
        if what == "zeros":
            axes.set_xscale("log", base=2)
            axes.minorticks_off()
        axes.set_xticks(steps, [str(step) for step in steps])
        axes.set_xlabel("step" if what == "zeros" else "epoch", fontsize=TEXT, color=QUIET)
    figure.axes[0].set_ylim(0, 1.04)
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=2,
                  frameon=False, fontsize=TEXT, borderpad=0)
    return figure


if __name__ == "__main__":
    main()
