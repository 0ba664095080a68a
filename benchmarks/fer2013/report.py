"""Tables and pictures of docs/paper.md and docs/experiments.md, from what the runs left behind.

    python benchmarks/fer2013/report.py

Draws docs/images/paper/*.svg of the runs that ``train.py`` has kept, and writes each table that the
two pages have a place for: between a line ``<!-- table: NAME -->`` and the next ``<!-- end -->``.
``tried.csv`` holds what ``explore.py`` printed.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from minicnn.run_folder import RunFolder
from minicnn.viewing.charts import COLOURS, INK, QUIET, chart, epoch_axis
from minicnn.viewing.confusion import draw_confusion

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs"
PICTURES = DOCS / "images" / "paper"
NETWORKS = ("paper-bn", "paper-plain")
BEST = "best-single"
LABEL = {"paper-bn": "with batch norm", "paper-plain": "without", BEST: BEST}
COLOUR = dict(zip(LABEL, COLOURS, strict=False))
FULL = re.compile(r"(.+)-seed(\d+)")
RATE = re.compile(r"(.+)-lr([\d.]+)")
BASE_RATE = 0.001
LAYERS = {
    "activations": ("output_deviation", "deviation of the outputs"),
    "upstream": ("upstream_norm", "norm of the gradient that reaches the layer"),
    "gradients": ("gradient_norm", "norm of the weights' gradient"),
}
"""Pictures of the layers by name: a column of layers.csv, and what it is."""

STEPS = (1, 16, 64, 256, 2048)
"""Of which the layers are drawn."""

MOST_EPOCHS = 25
"""After which a full run ends at the latest."""


@dataclass(frozen=True, eq=False)
class Kept:
    """What is kept of a run."""

    name: str
    history: pd.DataFrame
    layers: pd.DataFrame
    results: dict

    @property
    def seed(self) -> str:
        """That of a full run, out of its name."""
        return FULL.fullmatch(self.name)[2]

    @property
    def epochs(self) -> str:
        """How many it had, and whether that was before its end."""
        number = len(self.history)
        cut = number < MOST_EPOCHS and self.results["stopped"] == "all epochs done"
        return f"{number}, cut short" if cut else str(number)


def main() -> None:
    runs = [_read(folder) for folder in sorted((HERE / "kept").iterdir())]
    full = {network: found for network in NETWORKS if (found := _matching(runs, FULL, network))}
    best = {run.name: [run] for run in runs if run.name == BEST}
    PICTURES.mkdir(parents=True, exist_ok=True)
    for measure in ("accuracy", "loss"):
        _save(measure, draw_measure(full, measure))
    if best:
        _save(BEST, draw_measure(best, "accuracy"))
    for name, (column, title) in LAYERS.items():
        _save(name, draw_layers(full, column, title))
    if any(RATE.fullmatch(run.name) for run in runs):
        _save("rates", draw_rates(runs))
    _save("recall", draw_recall(full | best))
    for network, found in (full | best).items():
        confusion = sum(np.array(run.results["test"]["confusion"]) for run in found)
        classes = tuple(found[0].results["test"]["per_class"])
        _save(f"confusion-{network}", draw_confusion(confusion, classes))
    tables: dict[str, Callable[[], str]] = {
        "runs": lambda: runs_table(full), "summary": lambda: summary_table(full),
        "rates": lambda: rates_table(runs), "recall": lambda: recall_table(full | best),
        "best": lambda: best_table(*best[BEST]),
        "tried": lambda: tried_table(pd.read_csv(HERE / "tried.csv")),
    }
    block = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
    for page in (DOCS / "paper.md", DOCS / "experiments.md"):
        text = page.read_text(encoding="utf-8")
        page.write_text(block.sub(lambda found: found[1] + tables[found[2]]() + found[3], text),
                        encoding="utf-8")


def _read(folder: Path) -> Kept:
    run = RunFolder(folder)
    return Kept(folder.name, run.read_history(), run.read_layers(), run.read_results())


def _matching(runs: Iterable[Kept], pattern: re.Pattern, network: str) -> list[Kept]:
    """The runs of a network whose names are of this kind."""
    return [run for run in runs if (m := pattern.fullmatch(run.name)) and m[1] == network]


def _save(name: str, figure: Figure) -> None:
    with rc_context({"svg.hashsalt": name}):  # equal pictures are equal files
        figure.savefig(PICTURES / f"{name}.svg", metadata={"Date": None})


# -- tables -----------------------------------------------------------------------------------


def markdown(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown, its first column to the left."""
    ruler = ["---", *["---:"] * (len(headings) - 1)]
    return "".join(f"| {' | '.join(row)} |\n" for row in [headings, ruler, *rows])


def percent(share: float) -> str:
    return "–" if share is None or np.isnan(share) else f"{share:.1%}".replace("%", " %")


def spread(shares: Sequence[float]) -> str:
    """Mean and standard deviation over the runs, in percent."""
    values = 100 * np.array(shares, float)
    if np.isnan(values).any():
        return "–"
    if len(values) == 1:
        return f"{values[0]:.1f}"
    return f"{values.mean():.1f} ± {values.std(ddof=1):.1f}"


def difference(these: dict[str, float], those: dict[str, float]) -> str:
    """Mean over the seeds that both have, seed by seed, and its standard error, in points."""
    points = 100 * np.array([these[seed] - those[seed] for seed in these if seed in those])
    if len(points) < 2 or np.isnan(points).any():
        return "–"
    return f"{points.mean():+.1f} ± {points.std(ddof=1) / np.sqrt(len(points)):.1f}"


def runs_table(full: dict[str, list[Kept]]) -> str:
    """Each full run: how long, where it ended, and what its best model reached."""
    rows = []
    for network, runs in full.items():
        for run in runs:
            last, splits = run.history.iloc[-1], run.results["splits"]
            rows.append([
                f"{LABEL[network]}, seed {run.seed}",
                run.epochs, f"{run.results['seconds'] / 60:.0f} min",
                percent(last["fitted_accuracy"]), percent(last["validation_accuracy"]),
                f"{run.results['best_epoch']}", percent(splits["validation"]["accuracy"]),
                percent(splits["validation"]["unseen"]["accuracy"]),
                percent(splits["test"]["accuracy"]), percent(splits["test"]["unseen"]["accuracy"]),
            ])
    return markdown(
        ["run", "epochs", "time", "training, last epoch", "PublicTest, last epoch", "best epoch",
         "PublicTest, best", "of those unseen", "PrivateTest, best", "of those unseen"], rows,
    )


def summary_table(full: dict[str, list[Kept]]) -> str:
    """Means over the seeds, with and without batch norm."""
    def of(run: Kept, split: str, unseen: bool) -> float:
        figures = run.results["splits"][split]
        return (figures["unseen"] if unseen else figures)["accuracy"]

    measures: dict[str, Callable[[Kept], float]] = {
        "training, last epoch": lambda run: run.history["fitted_accuracy"].iloc[-1],
        "PublicTest, after 3 epochs": lambda run: run.history["validation_accuracy"].iloc[2],
        "PublicTest, last epoch": lambda run: run.history["validation_accuracy"].iloc[-1],
        "PublicTest, best epoch": lambda run: of(run, "validation", False),
        "PublicTest, best epoch, images not in training": lambda run: of(run, "validation", True),
        "PrivateTest, best epoch": lambda run: of(run, "test", False),
        "PrivateTest, best epoch, images not in training": lambda run: of(run, "test", True),
    }
    rows = []
    for name, measure in measures.items():
        shares = {
            network: {run.seed: measure(run) for run in runs} for network, runs in full.items()
        }
        rows.append([name, *(spread([*of.values()]) for of in shares.values()),
                     difference(*shares.values()) if len(shares) == 2 else "–"])
    heads = [
        f"{LABEL[network]} ({len(runs)} seed{'s' * (len(runs) > 1)}), %"
        for network, runs in full.items()
    ]
    return markdown(["accuracy", *heads, "difference, points"], rows)


def _by_rate(runs: list[Kept]) -> dict[str, dict[float, pd.DataFrame]]:
    """The first three epochs of each network at each learning rate, of seed 0."""
    found: dict[str, dict[float, pd.DataFrame]] = {}
    for network in NETWORKS:
        of_rate = {
            float(RATE.fullmatch(run.name)[2]): run.history
            for run in _matching(runs, RATE, network)
        }
        for run in runs:
            if run.name == f"{network}-seed0":
                of_rate[BASE_RATE] = run.history.head(3)
        found[network] = dict(sorted(of_rate.items()))
    return found


def rates_table(runs: list[Kept]) -> str:
    """Loss and accuracy after three epochs, by network and learning rate."""
    rows = [
        [f"{rate:g}, {LABEL[network]}",
         *(percent(share) for share in history["validation_accuracy"]),
         f"{history['train_loss'].iloc[-1]:.3f}"]
        for network, by_rate in _by_rate(runs).items() for rate, history in by_rate.items()
    ]
    return markdown(["learning rate", "PublicTest after 1 epoch", "2 epochs", "3 epochs",
                     "training loss of the third"], rows)


def recall_table(full: dict[str, list[Kept]]) -> str:
    """Recall of each class on PrivateTest, by network."""
    classes = next(iter(full.values()))[0].results["test"]["per_class"]
    rows = [
        [name, f"{figures['images']}", *(
            spread([run.results["test"]["per_class"][name]["recall"] for run in runs])
            for runs in full.values())]
        for name, figures in classes.items()
    ]
    return markdown(["class", "images", *(f"{LABEL[name]}, %" for name in full)], rows)


def best_table(run: Kept) -> str:
    """What the best network reached on each split, with and without copies."""
    rows = []
    for name, split in (("PublicTest", "validation"), ("PrivateTest", "test")):
        figures = run.results["splits"][split]
        rows.append([
            name, f"{figures['images']:,}", f"{figures['accuracy']:.2%}".replace("%", " %"),
            f"{figures['unseen']['images']:,}",
            f"{figures['unseen']['accuracy']:.2%}".replace("%", " %")])
    return markdown(["split", "images", "accuracy", "of which not in training",
                     "accuracy on those"], rows)


def tried_table(tries: pd.DataFrame) -> str:
    """What settings were tried for the best network, and what they gave."""
    rows = [
        [row.name, f"{row.parameters:,}",
         f"stopped, {row.measured_after} to {row.measured_after + 9} of {row.epochs}"
         if row.stopped else f"{row.epochs}",
         percent(row.train_accuracy), percent(row.validation_accuracy),
         percent(row.validation_accuracy_of_views)]
        for row in tries.itertuples(index=False)
    ]
    return markdown(["what", "parameters", "epochs", "training, running", "PublicTest",
                     "PublicTest, 18 views"], rows)


# -- pictures ---------------------------------------------------------------------------------


def draw_measure(full: dict[str, list[Kept]], measure: str) -> Figure:
    """Loss or accuracy by epoch, in training (as it ran) and on PublicTest, a line a seed."""
    figure, (axes,) = chart(height=3.4)
    for network, runs in full.items():
        for place, run in enumerate(runs):
            for split, style, what in (("train", "--", "training"),
                                       ("validation", "-", "PublicTest")):
                axes.plot(run.history["epoch"], run.history[f"{split}_{measure}"], style,
                          color=COLOUR[network], linewidth=1.4,
                          label=f"{what}, {LABEL[network]}" if not place else "")
    epoch_axis(axes, 1, max(len(run.history) for runs in full.values() for run in runs))
    if measure == "accuracy":
        axes.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    figure.legend(loc="outside upper left", ncols=2, frameon=False, fontsize=8.5, borderpad=0)
    return figure


def draw_layers(full: dict[str, list[Kept]], column: str, title: str) -> Figure:
    """A figure of each layer with weights, from the first to the last, at some steps of seed 0."""
    figure, panels = chart(height=2.3 * len(full), rows=len(full))
    for axes in panels[1:]:
        axes.sharey(panels[0])
    for axes, (network, runs) in zip(panels, full.items(), strict=True):
        table = runs[0].layers
        table = table[table["layer"].str.match("conv2d|dense")]
        steps = [step for step in STEPS if step in set(table["step"])]
        for step, shade in zip(steps, np.linspace(0.25, 1, len(steps)), strict=True):
            rows = table[table["step"] == step]
            axes.plot(rows["layer"].str.replace("conv2d_", "conv ").str.replace("_", " "),
                      rows[column], marker="o", markersize=4, linewidth=1.4, alpha=shade,
                      color=COLOUR[network], label=f"step {step:,}")
        axes.set_yscale("log")
        axes.set_title(LABEL[network], fontsize=9, color=INK, loc="left")
        axes.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
        axes.tick_params(axis="x", labelrotation=30)
    figure.supylabel(title, fontsize=9, color=QUIET)
    return figure


def draw_rates(runs: list[Kept]) -> Figure:
    """Validation accuracy after three epochs against the learning rate."""
    figure, (axes,) = chart(height=2.8)
    for network, by_rate in _by_rate(runs).items():
        axes.plot([f"{rate:g}" for rate in by_rate],
                  [history["validation_accuracy"].iloc[-1] for history in by_rate.values()],
                  marker="o", color=COLOUR[network], label=LABEL[network])
    axes.set_xlabel("learning rate of Adam", fontsize=9, color=QUIET)
    axes.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    figure.legend(loc="outside upper left", ncols=2, frameon=False, fontsize=8.5, borderpad=0)
    return figure


def draw_recall(full: dict[str, list[Kept]]) -> Figure:
    """Recall of each class on PrivateTest: bars of means, with the runs' range."""
    figure, (axes,) = chart(height=3.0)
    classes = list(next(iter(full.values()))[0].results["test"]["per_class"])
    for place, (network, runs) in enumerate(full.items()):
        recalls = np.array([
            [run.results["test"]["per_class"][name]["recall"] for name in classes] for run in runs])
        mean = recalls.mean(0)
        width = 0.8 / len(full)
        offset = width * (place - (len(full) - 1) / 2)
        axes.bar(np.arange(len(classes)) + offset, mean, 0.95 * width, color=COLOUR[network],
                 yerr=[mean - recalls.min(0), recalls.max(0) - mean], ecolor=QUIET,
                 label=LABEL[network])
    axes.set_xticks(range(len(classes)), classes, rotation=30)
    axes.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    figure.legend(loc="outside upper left", ncols=2, frameon=False, fontsize=8.5, borderpad=0)
    return figure


if __name__ == "__main__":
    main()
