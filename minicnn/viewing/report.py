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
from minicnn.viewing.feature_maps import MOST_CHANNELS, block_maps, draw_feature_maps
from minicnn.viewing.filters import MOST_FILTERS, draw_filters, first_filters
from minicnn.viewing.mistakes import confident_mistakes
from minicnn.viewing.page import write_page
from minicnn.viewing.pictures import Picture
from minicnn.viewing.run_record import RunRecord, read_run
from minicnn.viewing.running_statistics import draw_running_statistics


def write_report(
    folder: RunFolder, model: Sequential, dataset: Dataset, evaluation: Evaluation
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
    curves = _curves(run)
    mistakes = _mistakes(evaluation, split, dataset.classes)
    filters = _filters(model)
    face = _face(evaluation, split, dataset.classes)
    blocks = _blocks(model, preprocessing(split.images[face["index"]][None])[0])
    statistics = _statistics(folder)
    confusion = Picture.of_figure(
        "confusion", draw_confusion(evaluation.confusion, dataset.classes), "Confusion matrix."
    )
    _save([
        *curves, confusion, *(mistake["picture"] for mistake in mistakes),
        *([filters["picture"]] if filters else []), face["picture"],
        *(block["picture"] for block in blocks), *statistics,
    ], folder)
    return write_page(folder.report, "report.html.j2", {
        "run": run, "dataset": dataset, "evaluation": evaluation, "summary": model.summarize(),
        "baseline": _baseline(evaluation), "curves": curves,
        "confusion": confusion_cells(evaluation.confusion),
        "confused": _most_confused(evaluation, dataset.classes), "mistakes": mistakes,
        "filters": filters, "face": face, "blocks": blocks, "statistics": statistics,
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


def _mistakes(
    evaluation: Evaluation, split: Split, classes: tuple[str, ...]
) -> list[dict[str, Any]]:
    """The most confident mistakes, each with its face."""
    mistakes = []
    for place, mistake in enumerate(confident_mistakes(evaluation), start=1):
        label, prediction = classes[mistake.label], classes[mistake.prediction]
        mistakes.append({
            "label": label,
            "prediction": prediction,
            "probability": mistake.probability,
            "label_probability": mistake.label_probability,
            "picture": Picture.of_pixels(
                f"mistake-{place:02}", split.images[mistake.index],
                f"A face labelled {label} that was taken for {prediction}.",
            ),
        })
    return mistakes


def _filters(model: Sequential) -> dict[str, Any] | None:
    """The first convolution's filters; None without one."""
    found = first_filters(model)
    if found is None:
        return None
    layer, weights = found
    return {
        "layer": layer, "height": weights.shape[0], "width": weights.shape[1],
        "count": weights.shape[3], "shown": min(weights.shape[3], MOST_FILTERS),
        "picture": Picture.of_pixels("filters", draw_filters(weights), f"Filters of {layer}."),
    }


def _face(evaluation: Evaluation, split: Split, classes: tuple[str, ...]) -> dict[str, Any]:
    """The face that the network recognised most surely; where it recognised none, the first."""
    given = evaluation.probabilities[np.arange(len(split)), evaluation.labels]
    right = evaluation.predictions == evaluation.labels
    index = int(np.where(right, given, -1.0).argmax()) if right.any() else 0
    label = classes[split.labels[index]]
    return {
        "index": index, "label": label, "right": bool(right[index]),
        "probability": float(given[index]),
        "picture": Picture.of_pixels("face", split.images[index], f"A face labelled {label}."),
    }


def _blocks(model: Sequential, x: np.ndarray) -> list[dict[str, Any]]:
    """The feature maps of one preprocessed face, block by block."""
    blocks = []
    for place, block in enumerate(block_maps(model, x), start=1):
        height, width, channels = block.maps.shape
        blocks.append({
            "layer": block.layer, "height": height, "width": width, "channels": channels,
            "shown": min(channels, MOST_CHANNELS),
            "picture": Picture.of_pixels(
                f"feature-maps-{place}", draw_feature_maps(block.maps),
                f"Feature maps after {block.layer}.",
            ),
        })
    return blocks


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
    for earlier in folder.pictures.glob("mistake-*.png"):
        earlier.unlink()
    for picture in pictures:
        picture.save(folder.pictures)
