"""The wrong answers that a classifier was surest of."""

from dataclasses import dataclass

import numpy as np

from minicnn.inference.evaluation import Evaluation


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
