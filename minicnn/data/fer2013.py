"""FER2013 in any of the forms people have it: 35,887 grey faces of 48×48 in seven emotions.

The data set is that of I. J. Goodfellow et al., "Challenges in representation learning: a report on
three machine learning contests", ICONIP 2013 (arXiv:1307.0414).
"""

import os
from pathlib import Path

import numpy as np

from minicnn import validation
from minicnn.data import cache, progress
from minicnn.data.dataset import Dataset, Split
from minicnn.data.holdout import hold_out
from minicnn.data.sources.archives import open_table
from minicnn.data.sources.choosing import find_source
from minicnn.data.sources.csv_reader import read_csv, read_pictures_of_csv
from minicnn.data.sources.image_folder import Pictures, find_pictures, read_pictures
from minicnn.errors import InputError
from minicnn.files.paths import as_path
from minicnn.files.reading import require_file

_ACCEPTED = (
    "fer2013.csv, icml_face_data.csv or train.csv, either inside a .zip or .tar.gz, or a folder"
    " with one of them or with pictures in train/<emotion>/ and test/<emotion>/"
)


def load(path: str | os.PathLike, *, validation_fraction: float = 0.1, seed: int = 0) -> Dataset:
    """FER2013 from `path`, decoded once and remembered in `minicnn.data.cache`.

    Training, PublicTest and PrivateTest are train, validation and test. Where there are no
    validation rows, they are drawn from the training rows, if there are any; train and test are
    empty where they have no rows. A note says so in each case.

    Parameters
    ----------
    path : path
        ``fer2013.csv``, ``icml_face_data.csv`` or Kaggle's ``train.csv``, any of them inside a
        ``.zip``, ``.tar`` or ``.tar.gz``, or a folder with one of these or with some of
        ``train/<emotion>/``, ``validation/<emotion>/`` and ``test/<emotion>/``. Formats and errors:
        `read_csv`, `open_table`, `find_source` and `find_pictures` in `minicnn.data.sources`.
    validation_fraction : float, default 0.1
        The share of each emotion's training rows that validation is given if it has no own, in
        (0, 1).
    seed : int, default 0
        Chooses these rows; the same seed, the same rows. At least 0.

    Returns
    -------
    Dataset
        Named after the file or folder; each row knows its source.

    Raises
    ------
    InputError
        `path` is none of these or cannot be read, anything in it is not as it should be, or
        validation must be drawn where no emotion has two training rows.
    TypeError, ValueError
        `validation_fraction` is no number in (0, 1), or `seed` no integer of at least 0.
    """
    path = as_path(path)
    validation.number("fer2013.load", "validation_fraction", validation_fraction, 0, 1, ends="()")
    validation.integer("fer2013.load", "seed", seed, 0)
    try:
        splits, notes = _read(path)
    except OSError as error:
        place, reason = error.filename or path, error.strerror or error
        raise InputError(f"{place}: expected something to read, got an error: {reason}") from error
    name = path.resolve().name
    if len(splits["train"]) == 0:
        notes += (
            f"{name} has no training images: it can be audited and measured, but not trained on.",
        )
    elif len(splits["validation"]) == 0:
        splits, note = _with_validation(splits, name, validation_fraction, seed)
        notes += (note,)
    if len(splits["test"]) == 0:
        notes += (f"{name} has no test images, so test is empty: measure on validation.",)
    return Dataset(name, splits["train"], splits["validation"], splits["test"], notes=notes)


def load_unlabelled(path: str | os.PathLike) -> tuple[np.ndarray, tuple[str, ...]]:
    """The pictures of a table alone, labels or not, as of Kaggle's ``test.csv``.

    Nothing is kept in the cache.

    Parameters
    ----------
    path : path
        A CSV table with a column ``pixels``, or an archive of one.

    Returns
    -------
    images : ndarray, uint8 (N, 48, 48)
        In the order of the data rows.
    notes : tuple of str
        Which of several tables was read; that there are labels, if there are.

    Raises
    ------
    InputError
        The table cannot be read.
    """
    path = require_file(path, "a table of pictures")
    try:
        with open_table(path) as table:
            images, labelled = read_pictures_of_csv(
                table.stream, table.place, lambda: progress.tell(str(path), table.share())
            )
    except OSError as error:
        raise InputError(f"{path}: expected something to read, got an error: {error}") from error
    progress.tell(str(path), 1)
    if not labelled:
        return images, table.notes
    return images, (*table.notes, f"{path.name} has labels too, which were not looked at.")


def _read(path: Path) -> tuple[dict[str, Split], tuple[str, ...]]:
    """The splits as the source has them, and notes on what was assumed and on the cache."""
    if not path.exists():
        raise InputError(f"{path}: expected {_ACCEPTED}; there is no such file or folder")
    source, notes = find_source(path) if path.is_dir() else (path, ())
    if source.is_dir():
        pictures = find_pictures(source)
        names = [(str(file.relative_to(source)), file) for f in pictures.values() for file, _ in f]
        splits, more = cache.remembered(
            lambda: cache.files_fingerprint(names), lambda: _read_pictures(source, pictures)
        )
    elif source.is_file():
        splits, more = cache.remembered(
            lambda: cache.file_fingerprint(source), lambda: _read_table(source)
        )
    else:
        raise InputError(f"{path}: expected {_ACCEPTED}; this is neither a file nor a folder")
    return splits, notes + more


def _read_pictures(folder: Path, pictures: Pictures) -> tuple[dict[str, Split], tuple[str, ...]]:
    splits, notes = read_pictures(folder, pictures, lambda share: progress.tell(str(folder), share))
    progress.tell(str(folder), 1)
    return splits, notes


def _read_table(path: Path) -> tuple[dict[str, Split], tuple[str, ...]]:
    with open_table(path) as table:
        splits, notes = read_csv(
            table.stream, table.place, lambda: progress.tell(str(path), table.share())
        )
    progress.tell(str(path), 1)
    return splits, table.notes + notes


def _with_validation(
    splits: dict[str, Split], name: str, fraction: float, seed: int
) -> tuple[dict[str, Split], str]:
    """The splits with validation drawn from train, and a sentence that says so."""
    train, validation = hold_out(splits["train"], fraction, np.random.default_rng(seed))
    if len(validation) == 0:
        raise InputError(
            f"{name}: expected an emotion with two training images or more, to draw validation from"
        )
    note = (
        f"{name} has no validation images: {len(validation):,} of its"
        f" {len(splits['train']):,} training images were drawn for it ({fraction:.0%} of each"
        f" emotion, seed {seed}), and {len(train):,} remain."
    )
    return {**splits, "train": train, "validation": validation}, note
