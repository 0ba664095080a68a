"""How ``minicnn predict`` answers: tables, JSON, pictures with the answers drawn into them."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from minicnn import terminal
from minicnn.cli.output import show
from minicnn.cli.predict_faces import Seen
from minicnn.errors import InputError
from minicnn.files.paths import as_path
from minicnn.files.reading import require_folder
from minicnn.files.writing import atomic_path
from minicnn.inference.classifier import Classifier

_FORMATS = (".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")


def print_tables(
    seen: Sequence[Seen], answers: np.ndarray, classifier: Classifier, model: str, crop: bool
) -> None:
    """A table of probabilities for each face, under its place, and what the network saw of it."""
    for each, rows in zip(seen, _by_picture(seen, answers), strict=True):
        for index, (row, pixels) in enumerate(zip(rows, each.crops, strict=True)):
            where = ""
            if each.faces:
                face = each.faces[index]
                where = (
                    f", face {index + 1} of {len(each.faces)} ({face.size} × {face.size} pixels "
                    f"from column {face.left}, row {face.top})"
                )
            show(classifier.table(f"{each.name}{where}, read by {model}", row))
            if crop:
                show(terminal.GreyPicture(pixels))


def print_json(seen: Sequence[Seen], answers: np.ndarray, classes: Sequence[str]) -> None:
    """An object for each face: its picture, its box (null for a whole picture), probabilities."""
    objects = []
    for each, rows in zip(seen, _by_picture(seen, answers), strict=True):
        boxes = [None] if each.faces is None else [list(face.box) for face in each.faces]
        objects += [
            {"image": each.name, "box": box} | dict(zip(classes, map(float, row), strict=True))
            for box, row in zip(boxes, rows, strict=True)
        ]
    print(json.dumps(objects, indent=2))


def outputs(images: Sequence[str], out: str | None) -> list[Path]:
    """Where each picture is to be saved: the file that `out` names, or a file in that folder.

    Raises
    ------
    InputError
        A file has another ending than those that are written, is the picture itself, or its folder
        does not exist.
    """
    if out is None:
        return []
    path = as_path(out)
    if len(images) == 1 and not path.is_dir():
        files = [path]
    else:
        folder = require_folder(path, "a folder for the pictures")
        files = [folder / f"{Path(image).stem}.png" for image in images]
        files = [
            file if files.index(file) == index else file.with_stem(f"{file.stem}-{index + 1}")
            for index, file in enumerate(files)
        ]
    pictures = [path for path in map(as_path, images) if path.exists()]
    for file in files:
        if file.suffix.lower() not in _FORMATS:
            raise InputError(f"{file}: expected a name that ends in {', '.join(_FORMATS)}",
                             argument="save")
        if file.exists() and any(map(file.samefile, pictures)):
            raise InputError(f"{file}: expected a file other than the picture", argument="save")
        if not file.parent.is_dir():
            raise InputError(f"{file}: its folder does not exist", argument="save")
    return files


def save(
    seen: Sequence[Seen], answers: np.ndarray, classes: Sequence[str], files: Sequence[Path],
    crop: bool,
) -> None:
    """Draw the answers into the pictures, as these files; with `crop`, what the network saw too."""
    from minicnn.inference.faces import Face
    from minicnn.viewing.found_faces import draw_faces

    for file, each, rows in zip(files, seen, _by_picture(seen, answers), strict=False):
        side = min(each.image.size)
        centre = Face((each.image.width - side) // 2, (each.image.height - side) // 2, side)
        faces = (centre,) if each.faces is None else each.faces
        words = [f"{classes[row.argmax()]} {row.max():.0%}" for row in rows]
        _write(draw_faces(each.image, faces, words), file)
        for index, pixels in enumerate(each.crops if crop else ()):
            _write(Image.fromarray(pixels), file.with_name(f"{file.stem}-face-{index + 1}.png"))


def _write(image: Image.Image, file: Path) -> None:
    with atomic_path(file) as temporary:
        image.save(temporary, Image.registered_extensions()[file.suffix.lower()], quality=92)


def _by_picture(seen: Sequence[Seen], answers: np.ndarray) -> Iterator[np.ndarray]:
    """The answers of each picture's faces, ``(faces, 7)``."""
    ends = np.cumsum([len(each.crops) for each in seen])
    yield from np.split(answers, ends[:-1])
