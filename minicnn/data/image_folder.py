"""Reading FER2013 as pictures in folders: ``train/<emotion>/*``, ``test/<emotion>/*``."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import numpy as np

from minicnn.data.dataset import EMOTIONS, IMAGE_SIZE, Split
from minicnn.data.images import read_grey
from minicnn.data.quoting import listed
from minicnn.errors import InputError

_SPLITS = {"train": "train", "test": "test", "validation": "validation", "val": "validation"}

# The names of FER2013, and the variants that a widespread copy of it uses.
_LABELS = {emotion: label for label, emotion in enumerate(EMOTIONS)} | {
    "disgusted": EMOTIONS.index("disgust"),
    "fearful": EMOTIONS.index("fear"),
    "surprised": EMOTIONS.index("surprise"),
}

_NOT_PICTURES = ("thumbs.db", "desktop.ini")

Pictures = Mapping[str, list[tuple[Path, int]]]
"""The picture files of each split with their labels, in the order of the split's rows."""


_Meaning = TypeVar("_Meaning", str, int)
_Item = TypeVar("_Item")


def find_pictures(folder: Path) -> Pictures:
    """The picture files under `folder`, by split.

    Folder names are compared without regard to case; hidden files are passed over. A folder has no
    order of its own, so the emotions are interleaved in proportion, each by file name: the first
    rows of a split hold every emotion, whatever the files are called.

    Parameters
    ----------
    folder : Path
        Holds ``train/<emotion>``, and as it may be ``test/<emotion>`` and ``validation/<emotion>``
        or ``val/<emotion>``. An emotion without pictures may be missing.

    Returns
    -------
    dict of str to list of (Path, int)
        For ``"train"``, ``"validation"`` and ``"test"`` the files and labels; perhaps none.

    Raises
    ------
    InputError
        An emotion's folder has an unknown name, two folders mean the same split or emotion, or
        there are no pictures at all.
    """
    pictures: dict[str, list[tuple[Path, int]]] = {"train": [], "validation": [], "test": []}
    for split, split_folder in _folders(folder, _SPLITS).items():
        _refuse_unknown_emotions(split_folder)
        pictures[split] = _interleaved(
            [
                [(file, label) for file in _entries(emotion_folder)]
                for label, emotion_folder in sorted(_folders(split_folder, _LABELS).items())
            ]
        )
    if not any(pictures.values()):
        found = listed(entry.name for entry in _entries(folder))
        raise InputError(f"{folder}: expected pictures in train/<emotion>/, found {found}")
    return pictures


def read_pictures(pictures: Pictures) -> dict[str, Split]:
    """Decode the files that `find_pictures` found.

    Returns
    -------
    dict of str to Split
        The same splits, each row read by `minicnn.data.images.read_grey`.

    Raises
    ------
    InputError
        A file is no picture or a damaged one.
    """
    return {
        split: Split(
            np.array([read_grey(file) for file, _ in files], np.uint8).reshape(
                -1, IMAGE_SIZE, IMAGE_SIZE
            ),
            np.array([label for _, label in files], np.int64),
        )
        for split, files in pictures.items()
    }


def _folders(folder: Path, meanings: Mapping[str, _Meaning]) -> dict[_Meaning, Path]:
    """The folders in `folder` whose names have a meaning, by meaning."""
    found: dict[_Meaning, Path] = {}
    for entry in _entries(folder):
        name = entry.name.casefold()
        if entry.is_dir() and name in meanings:
            earlier = found.setdefault(meanings[name], entry)
            if earlier != entry:
                raise InputError(
                    f"{folder}: expected one folder for {name}, got {earlier.name} and {entry.name}"
                )
    return found


def _refuse_unknown_emotions(folder: Path) -> None:
    for entry in _entries(folder):
        if entry.is_dir() and entry.name.casefold() not in _LABELS:
            raise InputError(
                f"{entry}: expected a folder named {', '.join(EMOTIONS)}, got {entry.name}"
            )


def _entries(folder: Path) -> list[Path]:
    """What is in `folder`, by name, but for hidden files and what file browsers leave behind."""
    return sorted(
        entry
        for entry in folder.iterdir()
        if not entry.name.startswith(".") and entry.name.casefold() not in _NOT_PICTURES
    )


def _interleaved(classes: list[list[_Item]]) -> list[_Item]:
    """The items of all classes, each class in its order and spread evenly over the whole."""
    placed = [
        ((rank + 0.5) / len(items), item) for items in classes for rank, item in enumerate(items)
    ]
    return [item for _, item in sorted(placed, key=lambda place_and_item: place_and_item[0])]
