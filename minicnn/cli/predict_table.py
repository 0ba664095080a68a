"""``minicnn predict`` of a table of pictures: a CSV of probabilities, a row for each."""

import csv
import io
import json
import sys
from collections.abc import Sequence

import numpy as np

from minicnn.cli.output import complain
from minicnn.cli.progress import MovingLine, reading_line
from minicnn.data import fer2013
from minicnn.errors import InputError
from minicnn.files.paths import as_path
from minicnn.files.writing import atomic_path
from minicnn.inference.classifier import Classifier

_ENDINGS = (".csv", ".tsv", ".zip", ".gz", ".tgz", ".tar")
_BATCH = 256


def is_table(name: str) -> bool:
    """Whether a file is a table of pictures, by its name."""
    return name.casefold().endswith(_ENDINGS)


def require_one(names: Sequence[str]) -> str:
    """The one table among what was given; an error where there is more."""
    if len(names) > 1:
        raise InputError(
            f"predict: expected a table of pictures alone, got {len(names)} files (one command for "
            "each table, and one for pictures)"
        )
    return names[0]


def predict_table(classifier: Classifier, name: str, out: str | None, as_json: bool) -> None:
    """Answer for every row of the table, on stdout or in the file `out`."""
    if out is not None:
        if as_path(out).resolve() == as_path(name).resolve():
            raise InputError(f"--out: expected another file than the table itself, got {out}")
        if as_path(out).is_dir():
            raise InputError(f"--out: expected a file to write, got a folder, {out}")
        if not as_path(out).parent.is_dir():
            raise InputError(f"--out: {out}: its folder does not exist")
    with reading_line(why=""):
        images, notes = fer2013.load_unlabelled(name)
    for note in notes:
        complain(note)
    answers = _answers(classifier, images, name)
    text = _json(answers, classifier.classes) if as_json else _csv(answers, classifier.classes)
    if out is None:
        sys.stdout.write(text)
        return
    with atomic_path(as_path(out)) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="")
    complain(f"{len(answers):,} rows in {out}")


def _answers(classifier: Classifier, images: np.ndarray, name: str) -> np.ndarray:
    """The probabilities of all images, (N, 7), a batch at a time."""
    line = MovingLine("answering for")
    answers = []
    try:
        for start in range(0, len(images), _BATCH):
            line(name, start / len(images))
            answers.append(classifier.probabilities(images[start : start + _BATCH]))
    finally:
        line.close()
    return np.concatenate(answers)


def _csv(answers: np.ndarray, classes: Sequence[str]) -> str:
    """The number of each data row, its likeliest class, and the probabilities."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["row", "emotion", *classes])
    for number, row in enumerate(answers, start=1):
        writer.writerow([number, classes[int(row.argmax())], *(f"{p:.6f}" for p in row)])
    return text.getvalue()


def _json(answers: np.ndarray, classes: Sequence[str]) -> str:
    return json.dumps([
        {"row": number, **dict(zip(classes, map(float, row), strict=True))}
        for number, row in enumerate(answers, start=1)
    ], indent=2) + "\n"
