"""``minicnn predict``: what a network takes pictures of faces for."""

import json
from typing import Annotated

import typer

from minicnn.cli.backend import choose, compilation_line
from minicnn.cli.options import Backend, Json, Threads, is_model
from minicnn.cli.output import show
from minicnn.errors import InputError
from minicnn.files.paths import as_path

EXAMPLES = ("minicnn predict photo.jpg", "minicnn predict runs/mine photo.jpg")

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


def predict(
    images: ModelAndImages,
    backend: Backend = None,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Print the probabilities of the seven expressions for pictures of faces.

    A picture is made grey, cut to its central square and resized to 48×48 pixels.
    The face should fill it.
    """
    import numpy as np

    from minicnn.data.sources.images import read_grey
    from minicnn.inference.classifier import Classifier

    choose(backend, threads)
    model, images = _model_and_images(images)
    classifier = Classifier.load(model)
    if not images:
        raise InputError(f"predict: expected pictures for {model} to read, got none")
    pictures = np.stack([read_grey(image) for image in images])
    with compilation_line():
        probabilities = classifier.probabilities(pictures)
    if as_json:
        answers = [
            {"image": image, **dict(zip(classifier.classes, map(float, row), strict=True))}
            for image, row in zip(images, probabilities, strict=True)
        ]
        print(json.dumps(answers, indent=2))
        return
    for image, row in zip(images, probabilities, strict=True):
        show(classifier.table(f"{image}, read by {model}", row))


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
