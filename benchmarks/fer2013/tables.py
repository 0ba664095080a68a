"""The tables of docs/paper.md and docs/experiments.md, in Markdown."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pandas as pd
from kept_runs import LABEL, Kept, by_rate


def markdown(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown, its first column to the left."""
    ruler = ["---", *["---:"] * (len(headings) - 1)]
    return "".join(f"| {' | '.join(row)} |\n" for row in [headings, ruler, *rows])


def percent(share: float, digits: int = 1) -> str:
    """A share in percent; a dash for what was not measured."""
    return "–" if np.isnan(share) else f"{100 * share:.{digits}f} %"


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
         "PublicTest, best", "without copies", "PrivateTest, best", "without copies"], rows,
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
                     difference(*shares.values())])
    heads = [
        f"{LABEL[network]} ({len(runs)} seed{'s' * (len(runs) > 1)}), %"
        for network, runs in full.items()
    ]
    return markdown(["accuracy", *heads, "difference, points"], rows)


def rates_table(runs: list[Kept]) -> str:
    """Loss and accuracy after three epochs, by network and learning rate."""
    rows = [
        [f"{rate:g}, {LABEL[network]}",
         *(percent(share) for share in history["validation_accuracy"]),
         f"{history['train_loss'].iloc[-1]:.3f}"]
        for network, found in by_rate(runs).items() for rate, history in found.items()
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
            name, f"{figures['images']:,}", percent(figures["accuracy"], 2),
            f"{figures['unseen']['images']:,}", percent(figures["unseen"]["accuracy"], 2)])
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
