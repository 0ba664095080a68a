"""Several runs side by side: in the terminal as a table, in a browser as a page."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from minicnn import terminal
from minicnn.errors import InputError
from minicnn.files.nesting import dotted
from minicnn.files.paths import as_path
from minicnn.files.reading import require_folder
from minicnn.runs.folder import RunFolder
from minicnn.terminal import Column
from minicnn.viewing.charts import line_colours
from minicnn.viewing.confusion import confusion_cells
from minicnn.viewing.curves import Curve, draw_curves
from minicnn.viewing.layer_by_layer import layer_pictures
from minicnn.viewing.page import ABSENT, duration, number, percent, setting, write_page
from minicnn.viewing.pictures import Picture
from minicnn.viewing.run_record import PACE, RunRecord, read_run

LABELS = ("name", "description")
"""Settings that are there for people and change nothing."""


def comparison_table(folders: Sequence[RunFolder]) -> terminal.FittingTable:
    """The figures of several runs as a table for the terminal, a row a run.

    Parameters
    ----------
    folders : sequence of RunFolder
        With their experiment, history and results.

    Returns
    -------
    terminal.FittingTable

    Raises
    ------
    InputError
        Where a run's file is missing or damaged.
    """
    headings = (
        "accuracy", "on unseen", "loss", "best epoch", "time", "parameters", "learning rate"
    )
    rows = (
        (
            run.name, percent(run.test["accuracy"]), percent(run.unseen["accuracy"]),
            number(run.test["loss"]), f"{run.results['best_epoch']} of {len(run.history)}",
            duration(run.results["seconds"]), number(run.results["parameters"]),
            setting(run.learning_rate),
        )
        for run in _read(folders)
    )
    columns = [Column("run"), *(Column(heading, right=True) for heading in headings)]
    return terminal.table(columns, rows)


def write_comparison(folders: Sequence[RunFolder], path: str | os.PathLike) -> Path:
    """Write a page, one file that opens in any browser, that sets runs side by side.

    Parameters
    ----------
    folders : sequence of RunFolder
        Two or more, with their experiment, history and results.
    path : path
        The HTML file; its folder is made if need be, and an earlier file replaced.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    InputError
        Where there are fewer than two runs, a file of one is missing or damaged, or `path` cannot
        be written.
    """
    if len(folders) < 2:
        raise InputError(f"compare: expected two or more runs, got {len(folders)}")
    runs = _read(folders)
    require_folder(as_path(path).absolute().parent, "the folder of the comparison")
    classes = list(dict.fromkeys(name for run in runs for name in run.classes))
    return write_page(path, "compare.html.j2", {
        "runs": list(zip(runs, line_colours(), strict=False)),
        "best": max(run.test["accuracy"] for run in runs),
        "cautions": list(_cautions(runs)),
        "settings": _differing_settings(runs),
        "curves": _curves(runs), "layers": layer_pictures(folders),
        "without_layers": [run.name for run, folder in zip(runs, folders, strict=True)
                           if not folder.layers.exists()],
        "confusions": [confusion_cells(run.test["confusion"]) for run in runs],
        "recalls": [
            (name, [run.test["per_class"].get(name, {}).get("recall") for run in runs])
            for name in classes
        ],
    })


def different_images(folders: Sequence[RunFolder]) -> str:
    """Why figures of runs cannot be set against each other; empty where nothing speaks against it.

    Parameters
    ----------
    folders : sequence of RunFolder
        With their experiment, history and results.

    Returns
    -------
    str
        That they were measured on different images, and of drawn faces what makes them differ.

    Raises
    ------
    InputError
        Where a run's file is missing or damaged.
    """
    return _different_images(_read(folders))


def _different_images(runs: Sequence[RunRecord]) -> str:
    if not _differ(run.results["data"][run.measured_on] for run in runs):
        return ""
    reason = "the runs were measured on different test images"
    seeds = dict.fromkeys(run.settings.get("seed") for run in runs)
    if len(seeds) > 1 and all(_drawn(run) for run in runs):
        reason += (
            f": the seed draws the faces too (here {', '.join(map(str, seeds))}); give runs one "
            "seed to compare their settings, or train on a table or folder to compare seeds"
        )
    return reason


def _drawn(run: RunRecord) -> bool:
    data = run.settings.get("data")
    return isinstance(data, dict) and data.get("source") == "drawn-faces"


def _read(folders: Sequence[RunFolder]) -> list[RunRecord]:
    """The records; runs whose folders have the same name are told apart by their paths."""
    runs = [read_run(folder) for folder in folders]
    counts = Counter(run.name for run in runs)
    return [
        replace(run, name=str(folder.path)) if counts[run.name] > 1 else run
        for run, folder in zip(runs, folders, strict=True)
    ]


def _cautions(runs: Sequence[RunRecord]) -> Iterator[str]:
    """What makes these runs hard to compare, a sentence each."""
    if _differ(run.measured_on for run in runs):
        yield "Some were measured on their test split, others, having none, on validation images."
    if _differ(run.classes for run in runs):
        yield "They do not tell the same classes apart."
    reason = _different_images(runs)
    if reason:
        yield f"{reason[0].upper()}{reason[1:]}. A difference may lie in these."
    if _differ(run.results["data"]["train"] for run in runs):
        yield "They were not trained on the same images."
    if _differ(len(run.history) for run in runs):
        epochs = ", ".join(str(len(run.history)) for run in runs)
        yield f"They were not trained for the same number of epochs: {epochs}."


def _differ(values: Iterator[Any]) -> bool:
    first, *others = values
    return any(value != first for value in others)


def _differing_settings(runs: Sequence[RunRecord]) -> list[tuple[str, list[Any]]]:
    """Each setting that is not the same in all runs, with its value in each."""
    each = [dict(dotted(run.settings)) for run in runs]
    keys = dict.fromkeys(key for settings in each for key in settings if key not in LABELS)
    rows = [(key, [settings.get(key, ABSENT) for settings in each]) for key in keys]
    return [(key, values) for key, values in rows if _differ(iter(values))]


def _curves(runs: Sequence[RunRecord]) -> list[Picture]:
    """Loss, accuracy, learning rate and time, a colour and a number a run.

    Validation is drawn through, training dashed. The number stands where validation ends, or where
    there is none, training.
    """
    numbered = list(zip(runs, line_colours(), map(str, range(1, len(runs) + 1)), strict=False))
    pictures = []
    for measure in ("loss", "accuracy"):
        curves = []
        for run, colour, number_of in numbered:
            epochs = run.history["epoch"].to_numpy()
            train, validation = (run.history[f"{split}_{measure}"].to_numpy()
                                 for split in ("train", "validation"))
            validated = bool(np.isfinite(validation).any())
            curves += [
                Curve(epochs, train, colour, dashed=True, end="" if validated else number_of),
                Curve(epochs, validation, colour, end=number_of if validated else ""),
            ]
        pictures.append(Picture.of_figure(
            measure, draw_curves(curves, percent=measure == "accuracy"),
            f"{measure.capitalize()} by epoch, for training and validation of each run.",
        ))
    for name, column, title in PACE:
        curves = [
            Curve(run.history["epoch"].to_numpy(), run.history[column].to_numpy(), colour,
                  end=number_of)
            for run, colour, number_of in numbered
        ]
        pictures.append(Picture.of_figure(
            name, draw_curves(curves, factors=column == "learning_rate",
                             from_zero=column == "seconds"),
            f"{title} by epoch, for each run.",
        ))
    return pictures
