"""The report of one run: a page that says what was tried, what came of it, and how one can tell."""

from pathlib import Path
from typing import Any

import numpy as np

from minicnn.data import Dataset, Preprocessing, Split
from minicnn.files.reading import require_folder
from minicnn.inference.evaluation import Evaluation
from minicnn.runs.folder import RunFolder
from minicnn.sequential import Sequential
from minicnn.viewing.charts import COLOURS
from minicnn.viewing.confusion import confusion_cells, draw_confusion
from minicnn.viewing.curves import Curve, draw_curves
from minicnn.viewing.evidence import evidence, pictures_of
from minicnn.viewing.feature_maps import maps_of_blocks, recognised_face
from minicnn.viewing.filters import filter_sheet
from minicnn.viewing.layer_by_layer import layer_pictures
from minicnn.viewing.mistakes import mistaken_faces
from minicnn.viewing.page import write_page
from minicnn.viewing.pictures import Picture
from minicnn.viewing.run_record import PACE, RunRecord, read_run
from minicnn.viewing.running_statistics import draw_running_statistics


def write_report(
    folder: RunFolder, model: Sequential, dataset: Dataset, evaluation: Evaluation, *,
    command: str = "",
) -> Path:
    """Write ``report.html``, one file that opens in any browser, and its pictures as PNG.

    Parameters
    ----------
    folder : RunFolder
        With its experiment, history, running statistics and results.
    model : Sequential
        The best one of the run, its preprocessing in its metadata.
    dataset : Dataset
        What it was trained and measured on.
    evaluation : Evaluation
        Its answers on the split that the results say was measured.
    command : str, default ""
        The command line that repeats the run; shown if given.

    Returns
    -------
    Path
        Of the page.

    Raises
    ------
    InputError
        Where a file of the run is missing or damaged, the model has no preprocessing, or the page
        or its pictures cannot be written.
    ValueError
        Where `evaluation` has not as many answers as the split has images.
    """
    run = read_run(folder)
    split: Split = getattr(dataset, run.measured_on)
    if len(split) != len(evaluation.labels):
        raise ValueError(
            f"write_report: the {run.measured_on} split has {len(split)} images but evaluation "
            f"{len(evaluation.labels)} answers"
        )
    preprocessing = Preprocessing.of_model(model.metadata, str(folder.model))
    curves, pace, layers = _curves(run), _pace(run), layer_pictures([folder])
    shown = (evaluation, split, run.measured_on, dataset.classes)
    mistakes = mistaken_faces(*shown)
    explained = evidence(model, preprocessing, *shown)
    filters = filter_sheet(model)
    face = recognised_face(*shown)
    blocks = maps_of_blocks(model, preprocessing(split.images[face["index"]][None])[0])
    statistics = _statistics(folder)
    confusion = Picture.of_figure(
        "confusion", draw_confusion(evaluation.confusion, dataset.classes), "Confusion matrix."
    )
    _save([
        *curves, *pace, *(picture for row in layers for picture in row.pictures), confusion,
        *(mistake["picture"] for mistake in mistakes),
        *pictures_of(explained),
        *([filters["picture"]] if filters else []), face["picture"],
        *(block["picture"] for block in blocks), *statistics,
    ], folder)
    return write_page(folder.report, "report.html.j2", {
        "run": run, "dataset": dataset, "evaluation": evaluation, "summary": model.summarize(),
        "baseline": _baseline(evaluation), "curves": curves,
        "pace": pace, "layers": layers, "command": command,
        "confusion": confusion_cells(evaluation.confusion),
        "confused": _most_confused(evaluation, dataset.classes), "mistakes": mistakes,
        "evidence": explained, "filters": filters, "face": face, "blocks": blocks,
        "statistics": statistics,
    })


def _curves(run: RunRecord) -> list[Picture]:
    """Loss and accuracy of training and validation, and what training came to where measured."""
    history, pictures = run.history, []
    for measure in ("loss", "accuracy"):
        figure = draw_curves(
            [
                Curve(history["epoch"].to_numpy(), history[f"{split}_{measure}"].to_numpy(),
                      colour, label=name, dashed=dashed)
                for split, name, colour, dashed in (
                    ("train", "training", COLOURS[0], True),
                    ("validation", "validation", COLOURS[1], False),
                )
            ] + ([
                Curve(history["epoch"].to_numpy(), history["fitted_accuracy"].to_numpy(),
                      COLOURS[0], label="training, after the epoch")
            ] if measure == "accuracy" else []),
            best_epoch=run.results["best_epoch"], percent=measure == "accuracy",
        )
        pictures.append(Picture.of_figure(
            measure, figure, f"{measure.capitalize()} by epoch, for training and validation."
        ))
    return pictures


def _pace(run: RunRecord) -> list[Picture]:
    """The learning rate, and the seconds of each epoch."""
    return [
        Picture.of_figure(
            name,
            draw_curves([Curve(run.history["epoch"].to_numpy(), run.history[column].to_numpy(),
                               COLOURS[0])], factors=column == "learning_rate",
                        from_zero=column == "seconds"),
            f"{title} by epoch.",
        )
        for name, column, title in PACE if run.history[column].notna().any()
    ]


def _baseline(evaluation: Evaluation) -> float:
    """The accuracy of always naming the commonest class."""
    counts = evaluation.confusion.sum(1)
    return float(counts.max() / counts.sum())


def _most_confused(evaluation: Evaluation, classes: tuple[str, ...]) -> dict[str, Any] | None:
    """The commonest kind of mistake; None where there is no mistake."""
    mistakes = evaluation.confusion
    np.fill_diagonal(mistakes, 0)
    label, taken = np.unravel_index(mistakes.argmax(), mistakes.shape)
    if not mistakes[label, taken]:
        return None
    return {"count": int(mistakes[label, taken]), "label": classes[label], "taken": classes[taken]}


def _statistics(folder: RunFolder) -> list[Picture]:
    """Running means and variances over the epochs; none without batch norm."""
    table = folder.read_batchnorm()
    if table.empty:
        return []
    return [
        Picture.of_figure(
            f"running-{statistic}", draw_running_statistics(table, statistic),
            f"Running {statistic} of each batch norm layer by epoch.",
        )
        for statistic in ("mean", "variance")
    ]


def _save(pictures: list[Picture], folder: RunFolder) -> None:
    """Write the pictures' files; the mistakes of an earlier report go."""
    require_folder(folder.pictures, "the folder of the report's pictures")
    for kind in ("mistake-*.png", "evidence-*.png"):
        for earlier in folder.pictures.glob(kind):
            earlier.unlink()
    for picture in pictures:
        picture.save(folder.pictures)
