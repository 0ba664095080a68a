"""What every data source hands out: labelled grey images in three splits."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""The seven classes of FER2013; an emotion's place is its label (Goodfellow et al. 2013)."""

IMAGE_SIZE = 48
"""Height and width of every image, in pixels."""

SPLIT_NAMES = {
    "train": "train", "training": "train",
    "validation": "validation", "val": "validation", "valid": "validation",
    "publictest": "validation",
    "test": "test", "testing": "test", "privatetest": "test",
}
"""What people call the splits, in small letters, and what minicnn does."""

EMOTION_NAMES = {emotion: emotion for emotion in EMOTIONS} | {
    "anger": "angry", "disgusted": "disgust", "fearful": "fear", "happiness": "happy",
    "sadness": "sad", "surprised": "surprise",
}
"""What people call the emotions, in small letters, and what minicnn does."""


@dataclass(frozen=True, eq=False)
class Split:
    """Labelled images.

    Parameters
    ----------
    images : ndarray, uint8 (N, 48, 48)
        Grey levels, 0 black to 255 white.
    labels : ndarray, int64 (N,)
        Classes in ``[0, 7)``, the index into `EMOTIONS`.
    sources : ndarray, str (N,), optional
        Where each image stands in the file or folder that it was read from: ``"data row 17"``
        (counted from 1 after the header), ``"train/happy/1.png"``.
    """

    images: np.ndarray
    labels: np.ndarray
    sources: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: np.ndarray | slice) -> "Split":
        """Some of the rows.

        Parameters
        ----------
        rows : slice, ndarray of int (M,) or ndarray of bool (N,)
            Which ones, as NumPy indexes.

        Returns
        -------
        Split
            Its images, labels and sources are those of `rows`, in their order.
        """
        sources = None if self.sources is None else self.sources[rows]
        return Split(self.images[rows], self.labels[rows], sources)

    def fingerprint(self) -> str:
        """SHA-256 of the images and labels, hexadecimal: equal for equal data in equal order.

        Where they were read from does not count.
        """
        digest = hashlib.sha256(np.ascontiguousarray(self.images).data)
        digest.update(np.ascontiguousarray(self.labels, dtype="<i8").data)
        return digest.hexdigest()


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set in the three splits that training, choosing and measuring need.

    Parameters
    ----------
    name : str
        For people: ``"drawn faces"``, or the file it came from.
    train, validation, test : Split
        Disjoint rows: to fit on, to choose on, to measure on once.
    classes : tuple of str
        The name of each label, `EMOTIONS` by default.
    notes : tuple of str
        What a user must know about how the splits came about, one sentence each.
    """

    name: str
    train: Split
    validation: Split
    test: Split
    classes: tuple[str, ...] = EMOTIONS
    notes: tuple[str, ...] = field(default=())

    def splits(self) -> Iterator[tuple[str, Split]]:
        """``("train", …), ("validation", …), ("test", …)``, in this order."""
        for name in ("train", "validation", "test"):
            yield name, getattr(self, name)

    def limited(self, count: int) -> "Dataset":
        """The first rows of each split.

        Parameters
        ----------
        count : int
            How many at most, at least 0.

        Returns
        -------
        Dataset
            The same but for its splits.
        """
        rows = slice(count)
        return replace(
            self, train=self.train.take(rows), validation=self.validation.take(rows),
            test=self.test.take(rows),
        )
