"""How good a classifier is on labelled images."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicnn import ops, terminal, validation
from minicnn.sequential import Sequential
from minicnn.terminal import Column


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A classifier's answers on N labelled images of C classes, and what follows from them.

    Parameters
    ----------
    probabilities : ndarray (N, C), float32 or float64
        N at least 1.
    labels : ndarray (N,), integer
        Classes in ``[0, C)``.
    loss : float
        Mean cross-entropy, without weights or smoothing.
    """

    probabilities: np.ndarray
    labels: np.ndarray
    loss: float

    @property
    def predictions(self) -> np.ndarray:
        """The most probable class of each image, int64 (N,); at a tie the first."""
        return self.probabilities.argmax(1)

    @property
    def accuracy(self) -> float:
        """Share of the images whose most probable class is their label."""
        return float((self.predictions == self.labels).mean())

    def accuracy_on(self, rows: np.ndarray) -> float:
        """The accuracy on some of the images; NaN on none.

        Parameters
        ----------
        rows : ndarray, bool (N,)
            Which ones.
        """
        right = (self.predictions == self.labels)[rows]
        return float(right.mean()) if right.size else math.nan

    def summary_of(self, rows: np.ndarray) -> dict[str, Any]:
        """How many of these images there are, and the accuracy on them, as JSON can say it.

        Parameters
        ----------
        rows : ndarray, bool (N,)
            Which ones.

        Returns
        -------
        dict
            ``images`` (int) and ``accuracy`` (float, None on none).
        """
        return {"images": int(rows.sum()), "accuracy": _finite(self.accuracy_on(rows))}

    @property
    def confusion(self) -> np.ndarray:
        """How many images of each label (row) were taken for each class (column), int64 (C, C)."""
        classes = self.probabilities.shape[1]
        matrix = np.zeros((classes, classes), np.int64)
        np.add.at(matrix, (self.labels, self.predictions), 1)
        return matrix

    @property
    def precision(self) -> np.ndarray:
        """Of the images taken for a class, the share that belongs to it.

        float64 (C,), NaN where no image was taken for the class.
        """
        return _share(self.confusion.diagonal(), self.confusion.sum(0))

    @property
    def recall(self) -> np.ndarray:
        """Of the images of a class, the share that was taken for it.

        float64 (C,), NaN where no image is of the class.
        """
        return _share(self.confusion.diagonal(), self.confusion.sum(1))

    def as_dict(self, classes: tuple[str, ...]) -> dict[str, Any]:
        """The figures as values that JSON can say.

        Parameters
        ----------
        classes : tuple of C str
            Their names, by label.

        Returns
        -------
        dict
            ``images`` (int), ``loss`` (float, None where it is not finite), ``accuracy`` (float),
            ``per_class`` (for each name ``images``, and ``precision`` and ``recall``, None where
            undefined), ``confusion`` (C lists of C int).

        Raises
        ------
        ValueError
            Where there are not C names.
        """
        count = self.probabilities.shape[1]
        if len(classes) != count:
            raise ValueError(f"as_dict: expected {count} names, one a class, got {len(classes)}")
        return {
            "images": len(self.labels),
            "loss": _finite(self.loss),
            "accuracy": self.accuracy,
            "per_class": {
                name: {
                    "images": int(images), "precision": _finite(precision),
                    "recall": _finite(recall),
                }
                for name, images, precision, recall in zip(
                    classes, self.confusion.sum(1), self.precision, self.recall, strict=True
                )
            },
            "confusion": self.confusion.tolist(),
        }

    def table(self, classes: tuple[str, ...], title: str) -> terminal.FittingTable:
        """Precision and recall of each class, with the accuracy below, for a rich console.

        Parameters
        ----------
        classes : tuple of C str
            Their names, by label.
        title : str
        """
        columns = (
            Column("class", footer="accuracy"),
            Column("images", right=True, footer=f"{len(self.labels):,}"),
            Column("precision", right=True),
            Column("recall", right=True, footer=f"{self.accuracy:.2%}"),
        )
        rows = (
            (name, f"{count:,}", _percent(precision), _percent(recall))
            for name, count, precision, recall in zip(
                classes, self.confusion.sum(1), self.precision, self.recall, strict=True
            )
        )
        return terminal.table(columns, rows, title=title, upright=True, centred=True,
                              caption=f"loss {self.loss:.4f}")


def evaluate(
    model: Sequential,
    inputs: np.ndarray,
    labels: np.ndarray,
    *,
    preprocessing: Callable[[np.ndarray], np.ndarray] | None = None,
    views: Callable[[np.ndarray], Iterable[np.ndarray]] | None = None,
    batch_size: int = 256,
) -> Evaluation:
    """Run a classifier in evaluation mode over labelled inputs.

    Parameters
    ----------
    model : Sequential
        Gives logits (N, C).
    inputs : ndarray (N, ...), real numbers
        What `preprocessing` takes, or the model itself without one; N at least 1.
    labels : array_like (N,), integer
        Classes in ``[0, C)``.
    preprocessing : callable, optional
        Applied to each batch.
    views : callable, optional
        From a preprocessed batch to several of its shape, as `minicnn.data.Views`: probabilities
        are means over them.
    batch_size : int >= 1, default 256

    Returns
    -------
    Evaluation
        Its probabilities of the model's dtype.

    Raises
    ------
    TypeError
        Where the inputs do not hold real numbers, or labels or batch_size no integers.
    ValueError
        Where there are no inputs, their shape or a label does not fit the model, or batch_size is
        below 1.
    """
    batch_size = validation.integer("evaluate", "batch_size", batch_size, 1)
    logits = np.concatenate([
        logits_of(model, batch if preprocessing is None else preprocessing(batch), views)
        for batch in (inputs[start : start + batch_size]
                      for start in range(0, max(len(inputs), 1), batch_size))
    ])
    loss, _ = ops.softmax_cross_entropy_forward(logits, labels)
    return Evaluation(np.asarray(ops.softmax(logits)), np.asarray(labels), loss)


def logits_of(
    model: Sequential, x: np.ndarray,
    views: Callable[[np.ndarray], Iterable[np.ndarray]] | None = None,
) -> np.ndarray:
    """The logits of a batch; of several views, the logarithms of their mean probabilities.

    Parameters
    ----------
    model : Sequential
        Gives logits (N, C).
    x : ndarray (N, ...)
        What the model takes.
    views : callable, optional
        As of `evaluate`.

    Returns
    -------
    ndarray (N, C)
        Their softmax are the probabilities.
    """
    logits = np.array([model.predict(view) for view in (views(x) if views else [x])])  # (V, N, C)
    if len(logits) == 1:
        return logits[0]
    # log p = z - log(sum over c of exp(z))
    logarithms = logits - np.logaddexp.reduce(logits, axis=2, keepdims=True)
    # log(mean over v of p), whose softmax is that mean
    return np.logaddexp.reduce(logarithms, axis=0) - logits.dtype.type(math.log(len(logits)))


def _finite(value: float) -> float | None:
    """The number, or None in place of NaN and infinity, which JSON cannot say."""
    return float(value) if math.isfinite(value) else None


def _percent(share: float) -> str:
    return "–" if math.isnan(share) else f"{share:.1%}"


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return part / whole
