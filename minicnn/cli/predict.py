"""``minicnn predict``: what a network takes the faces in pictures for."""

from typing import Annotated

import typer

from minicnn.cli.backend import choose, compilation_line
from minicnn.cli.options import Backend, Json, Threads, is_model
from minicnn.errors import InputError
from minicnn.files.paths import as_path

EXAMPLES = (
    "minicnn predict photo.jpg", "minicnn predict photo.jpg --save answer.png",
    "minicnn predict runs/mine face.png --whole", "minicnn predict test.csv --out answers.csv",
)

PRETRAINED = ("best-single", "paper-bn")
"""Which network of the package reads pictures where no other is named: the first that there is."""

ModelAndImages = Annotated[
    list[str],
    typer.Argument(
        metavar="[MODEL] IMAGE...",
        help="Pictures of any size (PNG, JPEG, WebP, GIF, TIFF, BMP, PPM, AVIF), one or more; "
        "before them, a model other than the package's own: a .safetensors file, the folder of "
        "a run, or a name.",
    ),
]
Whole = Annotated[
    bool,
    typer.Option("--whole", help="Look for no faces: each picture is one, at its centre."),
]
Save = Annotated[
    str | None,
    typer.Option(
        metavar="OUT",
        help="Draw the faces and answers into the picture and save it as OUT; of several pictures, "
        "into the folder OUT.",
    ),
]
Crop = Annotated[
    bool,
    typer.Option("--crop", help="Show what the network saw, and save it beside OUT."),
]
Out = Annotated[
    str | None,
    typer.Option(
        metavar="FILE", help="Of a table of pictures: write the answers there, not to stdout."
    ),
]


def predict(
    images: ModelAndImages,
    whole: Whole = False,
    save: Save = None,
    crop: Crop = False,
    out: Out = None,
    backend: Backend = None,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Print the probabilities of the seven expressions for each face in pictures.

    Faces are looked for with the extra "faces" (OpenCV).
    Without it, the square at the centre is taken for one.
    A square picture of up to 64 pixels is one, as those of FER2013 are.
    A picture in which no face is found ends with exit status 1.

    A table of pictures, such as Kaggle's test.csv, is answered by a CSV of probabilities.
    """
    import numpy as np

    from minicnn.cli import predict_answers, predict_faces, predict_table
    from minicnn.inference.classifier import Classifier

    choose(backend, threads)
    model, images = _model_and_images(images)
    classifier = Classifier.load(model)
    _require_pictures(model, images)
    if any(map(predict_table.is_table, images)):
        _refuse("of a table: give --out FILE", {"--save": save, "--crop": crop})
        table = predict_table.require_one(images)
        with compilation_line():
            predict_table.predict_table(classifier, table, out, as_json)
        return
    _refuse("of pictures: redirect the output, or give --save OUT", {"--out": out})
    outputs = predict_answers.outputs(images, save)
    seen = [predict_faces.look(image, whole) for image in images]
    crops = [crop for each in seen for crop in each.crops]
    answers = np.empty((0, len(classifier.classes)))
    if crops:
        with compilation_line():
            answers = classifier.probabilities(np.stack(crops))
    if as_json:
        predict_answers.print_json(seen, answers, classifier.classes)
    else:
        predict_answers.print_tables(seen, answers, classifier, model, crop)
    predict_answers.save(seen, answers, classifier.classes, outputs, crop)
    if not all(each.crops for each in seen):
        raise typer.Exit(1)


def _model_and_images(words: list[str]) -> tuple[str, list[str]]:
    """The model that the first word names, or else the package's own; and the pictures."""
    from minicnn.weights import pretrained_names

    first = as_path(words[0])
    if is_model(words[0]) or not (first.suffix or first.exists()):  # pictures have a suffix
        return words[0], words[1:]
    own = next((name for name in PRETRAINED if name in pretrained_names()), None)
    if own is None:
        raise InputError(
            f"predict: expected a model before the pictures, got {words[0]!r}: no weights come "
            "with this package"
        )
    return own, words


def _refuse(way_on: str, options: dict[str, str | bool | None]) -> None:
    """Refuse those of the options that were given: what is read cannot have them."""
    for name, value in options.items():
        if value:
            raise InputError(f"{name}: not {way_on}")


def _require_pictures(model: str, images: list[str]) -> None:
    """Refuse what stands in a picture's place and is none, as far as its name tells."""
    if not images:
        raise InputError(f"predict: expected pictures for {model} to read, got none")
    for image in images:
        path = as_path(image)
        if (path / "model.safetensors").is_file() or (is_model(image) and not path.is_dir()):
            raise InputError(
                f"{image}: expected a picture, got a model: it stands before the pictures, "
                f"minicnn predict {image} IMAGE..."
            )
        if path.is_dir():
            raise InputError(
                f"{image}: expected a picture, got a folder: name its pictures, {path / '*.jpg'}"
            )
