"""Tables and pictures of docs/paper.md and docs/experiments.md, from what the runs left behind.

    python benchmarks/fer2013/report.py

Draws docs/images/paper/*.svg of the runs that ``train.py`` has kept, and writes each table that the
two pages have a place for: between a line ``<!-- table: NAME -->`` and the next ``<!-- end -->``.
``tried.csv`` holds what ``explore.py`` printed.
"""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pictures
import tables
from kept_runs import BEST, NETWORKS, Kept, full_runs, read
from matplotlib.figure import Figure

from minicnn.viewing.confusion import draw_confusion
from minicnn.viewing.svg_file import save_svg

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs"
PICTURES = DOCS / "images" / "paper"
PAGES = (DOCS / "paper.md", DOCS / "experiments.md")


def main() -> None:
    runs = read_kept()
    PICTURES.mkdir(parents=True, exist_ok=True)
    for name, figure in drawn(runs).items():
        save_svg(figure, PICTURES / f"{name}.svg")
    for page in PAGES:
        page.write_text(filled(page.read_text(encoding="utf-8"), runs), encoding="utf-8")


def read_kept() -> list[Kept]:
    """All runs that are kept."""
    return [read(folder) for folder in sorted((HERE / "kept").glob("[!.]*"))]


def filled(page: str, runs: list[Kept]) -> str:
    """The text of a page with the tables of these runs in their places."""
    full, best = _groups(runs)
    table: dict[str, Callable[[], str]] = {
        "runs": lambda: tables.runs_table(full),
        "summary": lambda: tables.summary_table(full),
        "rates": lambda: tables.rates_table(runs),
        "recall": lambda: tables.recall_table(full | best),
        "best": lambda: tables.best_table(*best[BEST]),
        "tried": lambda: tables.tried_table(pd.read_csv(HERE / "tried.csv")),
    }
    block = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
    return block.sub(lambda found: found[1] + table[found[2]]() + found[3], page)


def _groups(runs: list[Kept]) -> tuple[dict[str, list[Kept]], dict[str, list[Kept]]]:
    """The full runs of the paper's two networks, and those of the best one, by network."""
    full = {network: full_runs(runs, network) for network in NETWORKS}
    return full, {BEST: [run for run in runs if run.name == BEST]}


def drawn(runs: list[Kept]) -> dict[str, Figure]:
    """The pictures of these runs, by the name of the file."""
    full, best = _groups(runs)
    figures = {measure: pictures.draw_measure(full, measure) for measure in ("accuracy", "loss")}
    figures[BEST] = pictures.draw_measure(best, "accuracy")
    figures |= {name: pictures.draw_layers(full, *what) for name, what in pictures.LAYERS.items()}
    figures["rates"] = pictures.draw_rates(runs)
    figures["recall"] = pictures.draw_recall(full | best)
    for network, found in (full | best).items():
        confusion = sum(np.array(run.results["test"]["confusion"]) for run in found)
        classes = tuple(found[0].results["test"]["per_class"])
        figures[f"confusion-{network}"] = draw_confusion(confusion, classes)
    return figures


if __name__ == "__main__":
    main()
