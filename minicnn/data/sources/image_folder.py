"""Reading FER2013 as pictures in folders: ``train/<emotion>/*``, ``test/<emotion>/*``."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import numpy as np

from minicnn.data.dataset import EMOTION_NAMES, EMOTIONS, IMAGE_SIZE, SPLIT_NAMES, Split
from minicnn.data.sources.images import grey_and_notes
from minicnn.data.sources.quoting import listed
from minicnn.errors import InputError
from minicnn.files.reading import require_file

_TICK = 64  # pictures from one word on the progress to the next
_PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
LEFTOVERS = ("thumbs.db", "desktop.ini", "__macosx")

Pictures = Mapping[str, list[tuple[Path, int]]]
"""The picture files of each split with their labels, in the order of the split's rows."""

_Item = TypeVar("_Item")


def find_pictures(folder: Path) -> Pictures:
    """The picture files under `folder`, by split.

    Folder names are compared without regard to case. Passed over are files beside the folders of
    splits and emotions, empty folders, hidden files and what file browsers leave behind. A folder
    has no order of its own, so the emotions are interleaved in proportion, each by file name: the
    first rows of a split hold every emotion, whatever the files are called.

    Parameters
    ----------
    folder : Path
        Holds some of ``train/<emotion>``, ``validation/<emotion>`` and ``test/<emotion>``; the
        splits and emotions may also be called as in `SPLIT_NAMES` and `EMOTION_NAMES`.
        An emotion without pictures may be missing.

    Returns
    -------
    dict of str to list of (Path, int)
        For ``"train"``, ``"validation"`` and ``"test"`` the files and labels; perhaps none.

    Raises
    ------
    InputError
        The folder of a split or an emotion has an unknown name, two folders mean the same split or
        emotion, something is no file or a link that leads out of `folder`, or there are no pictures
        at all.
    OSError
        A folder cannot be listed.
    """
    pictures: dict[str, list[tuple[Path, int]]] = {"train": [], "validation": [], "test": []}
    split_folders = _folders(folder, SPLIT_NAMES)
    if split_folders:
        _refuse_unknown(folder, SPLIT_NAMES)
    for split, split_folder in split_folders.items():
        emotion_folders = _folders(split_folder, EMOTION_NAMES)
        _refuse_unknown(split_folder, EMOTION_NAMES)
        pictures[split] = _interleaved(
            [
                [(file, label) for file in _files(emotion_folders[emotion], folder)]
                for label, emotion in enumerate(EMOTIONS)
                if emotion in emotion_folders
            ]
        )
    if not any(pictures.values()):
        raise _without_pictures(folder)
    return pictures


def read_pictures(
    folder: Path, pictures: Pictures, tick: Callable[[float], None] = lambda share: None
) -> tuple[dict[str, Split], tuple[str, ...]]:
    """Decode the files that `find_pictures` found.

    Parameters
    ----------
    folder : Path
        Where it looked.
    pictures : Mapping of str to list of (Path, int)
        What it found.
    tick : callable, optional
        Told now and then which share of the pictures has been read.

    Returns
    -------
    splits : dict of str to Split
        The same splits, each row read by `minicnn.data.sources.images.read_grey`. Its source is the
        file's path from `folder` on, with bytes that are not UTF-8 escaped.
    notes : tuple of str
        What `read_grey` would warn of: the first of it, and of how many pictures.

    Raises
    ------
    InputError
        A file is no picture or a damaged one.
    """
    notes: list[str] = []
    splits = {}
    done, count = 0, sum(map(len, pictures.values()))
    for split, files in pictures.items():
        images = np.empty((len(files), IMAGE_SIZE, IMAGE_SIZE), np.uint8)
        for row, (file, _) in enumerate(files):
            images[row], said = grey_and_notes(file)
            notes += said
            done += 1
            if done % _TICK == 0:
                tick(done / count)
        splits[split] = Split(
            images,
            np.array([label for _, label in files], np.int64),
            np.array([_printable(file.relative_to(folder)) for file, _ in files], str),
        )
    more = f" (the first of {len(notes):,} such notes)" if len(notes) > 1 else ""
    return splits, tuple(f"{note}{more}" for note in notes[:1])


def _printable(path: Path) -> str:
    return os.fsencode(path).decode(errors="backslashreplace")


def _folders(folder: Path, meanings: Mapping[str, str]) -> dict[str, Path]:
    """The folders in `folder` whose names have a meaning, by meaning."""
    found: dict[str, Path] = {}
    for entry in entries(folder):
        meaning = meanings.get(entry.name.casefold())
        if entry.is_dir() and meaning:
            earlier = found.setdefault(meaning, entry)
            if earlier != entry:
                raise InputError(
                    f"{folder}: expected one folder for {meaning}, got {earlier.name} and"
                    f" {entry.name}"
                )
    return found


def _files(emotion_folder: Path, folder: Path) -> list[Path]:
    """The files of an emotion, all of them inside `folder` when links are followed."""
    files = [require_file(entry, "a picture") for entry in entries(emotion_folder)]
    inside = folder.resolve()
    for place in (emotion_folder.parent, emotion_folder, *files):
        if place.is_symlink() and not place.resolve().is_relative_to(inside):
            raise InputError(f"{place}: expected a picture in {folder}, got a link that leads out")
    return files


def _refuse_unknown(folder: Path, meanings: Mapping[str, str]) -> None:
    """Refuse a folder in `folder` whose name has no meaning, unless it is empty."""
    for entry in entries(folder):
        if entry.is_dir() and entry.name.casefold() not in meanings and entries(entry):
            names = ", ".join(dict.fromkeys(meanings.values()))
            raise InputError(
                f"{entry}: expected a folder named {names}, got {entry.name}{_way_on(entry.name)}"
            )


def _way_on(name: str) -> str:
    """What to do about a folder with a name that FER2013 does not know, as far as that is known."""
    if name.strip().isdecimal():
        return " (numbers mean different emotions in different sets: give it the name of its own)"
    if name.casefold() == "contempt":
        return " (FER2013 has no such class: move the folder away)"
    return ""


def _without_pictures(folder: Path) -> InputError:
    """The error for a folder in which there is nothing to read, with the way on."""
    found = entries(folder)
    names = [entry.name for entry in found]
    if any(name.casefold() in EMOTION_NAMES or name.isdecimal() for name in names):
        way_on = " (put the folders of emotions, called by name, into a folder train)"
    elif any(name.casefold().endswith(".ipynb") for name in names):
        way_on = " (a notebook holds no pictures: give the data that it reads)"
    elif any(entry.is_file() and entry.suffix.casefold() in _PICTURES for entry in found):
        way_on = " (a picture's emotion is the name of its folder: sort them)"
    elif len([name for name in names if name.casefold().endswith(".csv")]) > 1:
        way_on = " (or give one of the tables itself)"
    else:
        way_on = ""
    return InputError(
        f"{folder}: expected pictures in train/<emotion>/, or a table, found "
        f"{listed(names)}{way_on}"
    )


def entries(folder: Path) -> list[Path]:
    """What is in `folder`, by name, but for hidden files and what file browsers leave behind."""
    return sorted(
        entry
        for entry in folder.iterdir()
        if not entry.name.startswith(".") and entry.name.casefold() not in LEFTOVERS
    )


def _interleaved(classes: list[list[_Item]]) -> list[_Item]:
    """The items of all classes, each class in its order and spread evenly over the whole."""
    placed = [
        ((rank + 0.5) / len(items), item) for items in classes for rank, item in enumerate(items)
    ]
    return [item for _, item in sorted(placed, key=lambda place_and_item: place_and_item[0])]
