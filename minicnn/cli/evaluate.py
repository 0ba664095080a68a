"""``minicnn evaluate``: how good a trained model is on labelled images."""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from minicnn.cli.backend import choose, compilation_line
from minicnn.cli.options import Backend, Data, Json, Model, Threads
from minicnn.cli.output import complain, console, show, unseen_line
from minicnn.cli.progress import reading_line
from minicnn.errors import InputError

if TYPE_CHECKING:
    from minicnn.data import Dataset, Split

EXAMPLES = ("minicnn evaluate runs/mine --data fer2013.csv --split test",)

SplitName = Annotated[str, typer.Option(metavar="NAME", help="train, validation or test.")]
Limit = Annotated[int, typer.Option(metavar="N", help="Use only the first N images; 0 uses all.")]
SingleView = Annotated[
    bool,
    typer.Option(
        "--single-view",
        help="Show the network each picture once, also where it is to see several views.",
    ),
]


def evaluate(
    model: Model,
    data: Data = None,
    split: SplitName = "test",
    limit: Limit = 0,
    single_view: SingleView = False,
    backend: Backend = None,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Measure a trained model on labelled images: all, and those that do not stand in training.

    Without --data a run's model is measured on the images of the run.
    """
    from minicnn.data import Views, stands_in
    from minicnn.inference.classifier import Classifier

    choose(backend, threads)
    if split not in ("train", "validation", "test"):
        raise InputError(f"--split: expected train, validation or test, got {split!r}")
    classifier = Classifier.load(model)
    if single_view:
        classifier = replace(classifier, views=Views())
    with reading_line():
        dataset = _labelled_images(data, model, classifier.path)
    part = _first_images(dataset, split, limit)
    for note in dataset.notes:
        complain(note)
    with compilation_line():
        evaluation = classifier.evaluate(part)
    figures = evaluation.as_dict(dataset.classes)
    if split != "train" and len(dataset.train):
        unseen = ~stands_in(part.images, dataset.train.images)
        figures["unseen"] = evaluation.summary_of(unseen)
    if as_json:
        print(json.dumps(figures, indent=2))
        return
    views = len(classifier.views)
    show(evaluation.table(
        dataset.classes,
        f"{model} on {dataset.name}, {split}" + (f", {views} views of each" if views > 1 else ""),
    ))
    if "unseen" in figures:
        console.print(unseen_line(figures["unseen"]), highlight=False)


def _labelled_images(data: str | None, model: str, path: Path) -> "Dataset":
    """The data set at `data`, or else the one that the run of the model at `path` was made with."""
    from minicnn.data import fer2013
    from minicnn.runs.folder import RunFolder
    from minicnn.training import read_experiment

    experiment = RunFolder(path.parent).experiment
    if data is not None:
        # the run's own seed, so that a validation split drawn out of train is the same one
        seed = read_experiment(experiment).seed if experiment.is_file() else 0
        return fer2013.load(data, seed=seed)
    if not experiment.is_file():
        raise InputError(f"{model}: give --data PATH, the labelled images to measure it on")
    return read_experiment(experiment).load_data()


def _first_images(dataset: "Dataset", split: str, limit: int) -> "Split":
    """The first so many images of a split, all where the limit is 0; at least one."""
    if limit < 0:
        raise InputError(f"--limit: expected 0 or more, got {limit}")
    part: Split = getattr(dataset, split).take(slice(limit or None))
    if not len(part):
        raise InputError(f"--split: {dataset.name} has no {split} images{_way_on(dataset)}")
    return part


def _way_on(dataset: "Dataset") -> str:
    """Which splits there are instead, and what brings the others."""
    there = [name for name, split in dataset.splits() if len(split)]
    if not there:
        return ""
    options = " or ".join(f"--split {name}" for name in there)
    return f": give {options}, or --data with a table or folder that has them"
