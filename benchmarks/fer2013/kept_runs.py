"""The runs that ``train.py`` has kept, as the tables and pictures of docs/paper.md take them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from minicnn.runs.folder import RunFolder
from minicnn.training import read_experiment

NETWORKS = ("paper-bn", "paper-plain")
BEST = "best-single"
LABEL = {"paper-bn": "with batch norm", "paper-plain": "without", BEST: BEST}
FULL = re.compile(r"(.+)-seed(\d+)")
RATE = re.compile(r"(.+)-lr([\d.]+)")
SETTINGS = read_experiment("paper-bn")
"""What a full run was asked for; ``paper-plain`` differs in its model alone."""


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
        """How many a full run had, and whether it was ended before its goal and its last epoch."""
        number, asked = len(self.history), SETTINGS.training
        reached = self.history["fitted_accuracy"].iloc[-1] >= asked.stop_at_train_accuracy
        return str(number) if reached or number >= asked.epochs else f"{number}, cut short"


def read(folder: Path) -> Kept:
    """The kept files of a run."""
    run = RunFolder(folder)
    return Kept(folder.name, run.read_history(), run.read_layers(), run.read_results())


def full_runs(runs: Iterable[Kept], network: str) -> list[Kept]:
    """Those of a network with the experiment's own settings, a seed each."""
    return _matching(runs, FULL, network)


def by_rate(runs: Iterable[Kept]) -> dict[str, dict[float, pd.DataFrame]]:
    """The first three epochs of each network at each learning rate, of seed 0."""
    found: dict[str, dict[float, pd.DataFrame]] = {}
    for network in NETWORKS:
        of_rate = {
            float(RATE.fullmatch(run.name)[2]): run.history
            for run in _matching(runs, RATE, network)
        }
        for run in runs:
            if run.name == f"{network}-seed0":
                of_rate[SETTINGS.optimizer["lr"]] = run.history.head(3)
        found[network] = dict(sorted(of_rate.items()))
    return found


def _matching(runs: Iterable[Kept], pattern: re.Pattern, network: str) -> list[Kept]:
    """The runs of a network whose names are of this kind."""
    return [run for run in runs if (m := pattern.fullmatch(run.name)) and m[1] == network]
