"""How good a classifier is on labelled images."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicnn import ops
from minicnn.sequential import Sequential


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A classifier's answers on N labelled images of C classes, and what follows from them.

    Parameters
    ----------
    probabilities : ndarray (N, C)
    labels : ndarray (N,), integer
    loss : float
        Mean cross-entropy, without weights or smoothing.
    """

    probabilities: np.ndarray
    labels: np.ndarray
    loss: float

    @property
    def predictions(self) -> np.ndarray:
        """The most probable class of each image, int (N,)."""
        return self.probabilities.argmax(1)

    @property
    def accuracy(self) -> float:
        """Share of the images whose most probable class is their label."""
        return float((self.predictions == self.labels).mean())

    @property
    def confusion(self) -> np.ndarray:
        """How many images of each label (row) were taken for each class (column), int (C, C)."""
        classes = self.probabilities.shape[1]
        matrix = np.zeros((classes, classes), np.int64)
        np.add.at(matrix, (self.labels, self.predictions), 1)
        return matrix

    @property
    def precision(self) -> np.ndarray:
        """Of the images taken for a class, the share that belongs to it (C,); NaN where none."""
        return _share(self.confusion.diagonal(), self.confusion.sum(0))

    @property
    def recall(self) -> np.ndarray:
        """Of the images of a class, the share that was taken for it (C,); NaN where none."""
        return _share(self.confusion.diagonal(), self.confusion.sum(1))

    def as_dict(self, classes: tuple[str, ...]) -> dict[str, Any]:
        """The figures as JSON-ready values; an undefined share is None."""
        return {
            "images": len(self.labels),
            "loss": self.loss,
            "accuracy": self.accuracy,
            "per_class": {
                name: {
                    "images": int(count),
                    "precision": None if np.isnan(precision) else float(precision),
                    "recall": None if np.isnan(recall) else float(recall),
                }
                for name, count, precision, recall in zip(
                    classes, self.confusion.sum(1), self.precision, self.recall, strict=True
                )
            },
            "confusion": self.confusion.tolist(),
        }


def evaluate(
    model: Sequential,
    inputs: np.ndarray,
    labels: np.ndarray,
    *,
    preprocessing: Callable[[np.ndarray], np.ndarray] | None = None,
    batch_size: int = 256,
) -> Evaluation:
    """Run a classifier in evaluation mode over labelled inputs.

    Parameters
    ----------
    model : Sequential
        Gives logits (N, C).
    inputs : ndarray (N, ...)
        What `preprocessing` takes, or the model itself without one.
    labels : ndarray (N,), integer
    preprocessing : callable, optional
        Applied to each batch.
    batch_size : int, default 256

    Returns
    -------
    Evaluation

    Raises
    ------
    ValueError
        Where there are no inputs, or their shape or a label does not fit the model.
    """
    logits = np.concatenate([
        model.predict(batch if preprocessing is None else preprocessing(batch))
        for batch in (inputs[start : start + batch_size]
                      for start in range(0, max(len(inputs), 1), batch_size))
    ])
    loss, _ = ops.softmax_cross_entropy_forward(logits, labels)
    return Evaluation(ops.softmax(logits), np.asarray(labels), loss)


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return part / whole
