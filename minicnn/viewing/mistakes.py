"""The wrong answers that a classifier was surest of."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from minicnn.data import Split
from minicnn.inference.evaluation import Evaluation
from minicnn.viewing.pictures import Picture


@dataclass(frozen=True)
class Mistake:
    """An image that was taken for another class.

    Attributes
    ----------
    index : int
        The image's place among those evaluated.
    label, prediction : int
        Its class, and the one it was taken for.
    probability, label_probability : float
        What the network gave to its prediction, and to the label.
    """

    index: int
    label: int
    prediction: int
    probability: float
    label_probability: float


def confident_mistakes(evaluation: Evaluation, count: int = 18) -> list[Mistake]:
    """The mistakes to which the network gave the greatest probabilities.

    Parameters
    ----------
    evaluation : Evaluation
    count : int >= 0, default 18

    Returns
    -------
    list of Mistake
        At most `count`, the surest first, at a tie in the order of the images.
    """
    predictions = evaluation.predictions
    probabilities = evaluation.probabilities
    wrong = np.flatnonzero(predictions != evaluation.labels)
    confidence = probabilities[wrong, predictions[wrong]]
    surest = wrong[np.argsort(-confidence, kind="stable")[:count]]
    return [
        Mistake(
            int(index), int(evaluation.labels[index]), int(predictions[index]),
            float(probabilities[index, predictions[index]]),
            float(probabilities[index, evaluation.labels[index]]),
        )
        for index in surest
    ]


def mistaken_faces(
    evaluation: Evaluation, split: Split, name: str, classes: tuple[str, ...]
) -> list[dict[str, Any]]:
    """The most confident mistakes, each with its face and with where that stands.

    Parameters
    ----------
    evaluation : Evaluation
    split : Split
        What was evaluated.
    name : str
        Of the split.
    classes : tuple of C str
        Their names, by label.
    """
    faces = []
    for place, mistake in enumerate(confident_mistakes(evaluation), start=1):
        label, prediction = classes[mistake.label], classes[mistake.prediction]
        source = source_of(split, mistake.index, name)
        faces.append({
            "label": label,
            "prediction": prediction,
            "probability": mistake.probability,
            "label_probability": mistake.label_probability,
            "source": source,
            "picture": Picture.of_pixels(
                f"mistake-{place:02}", split.images[mistake.index],
                f"{source}: a face labelled {label} that was taken for {prediction}.",
            ),
        })
    return faces


def source_of(split: Split, index: int, name: str) -> str:
    """Where an image comes from: its row of a table or its file, else its place in the split."""
    return f"{name} image {index + 1:,}" if split.sources is None else str(split.sources[index])
