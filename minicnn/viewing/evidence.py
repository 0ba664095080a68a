"""Where the surest mistakes come from: what spoke for the answer, and what for the label."""

from typing import Any

import numpy as np

from minicnn.data import Preprocessing, Split
from minicnn.inference.evaluation import Evaluation
from minicnn.sequential import Sequential
from minicnn.viewing.class_activation import grad_cam, spatial_layer
from minicnn.viewing.mistakes import Mistake, confident_mistakes, source_of
from minicnn.viewing.pictures import Picture
from minicnn.viewing.scales import EVIDENCE, Scale

MOST_EXPLAINED = 6
"""Mistakes whose evidence is shown."""

COVER = 0.85
"""How much of a picture the strongest evidence covers."""


def evidence(
    model: Sequential, preprocessing: Preprocessing, evaluation: Evaluation, split: Split,
    name: str, classes: tuple[str, ...],
) -> dict[str, Any] | None:
    """Grad-CAM of the surest mistakes: what spoke for the answer, and what for the label.

    Parameters
    ----------
    model : Sequential
    preprocessing : Preprocessing
        The model's.
    evaluation, split, name, classes
        As in `mistaken_faces`.

    Returns
    -------
    dict or None
        None where there is no mistake, or no layer has places.
    """
    mistakes = confident_mistakes(evaluation, MOST_EXPLAINED)
    if not mistakes or spatial_layer(model) is None:
        return None
    images = split.images[[mistake.index for mistake in mistakes]]
    x = preprocessing(images)
    found = grad_cam(
        model, np.concatenate([x, x]),
        [mistake.prediction for mistake in mistakes] + [mistake.label for mistake in mistakes],
    )
    answers, labels = np.split(found.maps, 2)
    return {
        "layer": found.layer, "height": answers.shape[1], "width": answers.shape[2],
        "gradient": Scale(0, 1, EVIDENCE).gradient,
        "faces": [
            _explained(place, mistake, image, pair, source_of(split, mistake.index, name), classes)
            for place, (mistake, image, *pair) in enumerate(
                zip(mistakes, images, answers, labels, strict=True), start=1
            )
        ],
    }


def pictures_of(found: dict[str, Any] | None) -> list[Picture]:
    """The pictures of an `evidence`; none where there is none."""
    return [view["picture"] for face in (found or {"faces": []})["faces"] for view in face["views"]]


def _explained(
    place: int, mistake: Mistake, image: np.ndarray, pair: list[np.ndarray], source: str,
    classes: tuple[str, ...],
) -> dict[str, Any]:
    """A mistake's face, and its evidence for two classes on one scale."""
    greatest = float(max(pair[0].max(), pair[1].max()))
    said, label = classes[mistake.prediction], classes[mistake.label]
    return {
        "source": source, "greatest": greatest,
        "face": Picture.of_pixels(f"evidence-{place}", image, f"{source}: a face."),
        "views": [
            {
                "word": word, "class": name, "probability": probability, "none": not values.max(),
                "picture": Picture.of_pixels(
                    f"evidence-{place}-{word}", covered(image, values, greatest),
                    f"The same face; orange covers {_where(values)}, where the network found what "
                    f"speaks for {name}.",
                ),
            }
            for word, name, probability, values in (
                ("said", said, mistake.probability, pair[0]),
                ("is", label, mistake.label_probability, pair[1]),
            )
        ],
    }


def _where(values: np.ndarray) -> str:
    """The place of the greatest value, in words."""
    if not values.max():
        return "nothing"
    height, width = values.shape
    row, column = np.unravel_index(values.argmax(), values.shape)
    down = ("the top", "the middle", "the bottom")[3 * int(row) // height]
    across = ("left", "centre", "right")[3 * int(column) // width]
    return f"most of all {down} {across}"


def covered(image: np.ndarray, values: np.ndarray, greatest: float) -> np.ndarray:
    """A grey image under an orange that is the denser, the greater the value of the place is.

    Parameters
    ----------
    image : ndarray, uint8 (H, W)
    values : ndarray (h, w), float
        At least 0. Each place lies over its part of the image, in squares: no place is shown finer
        than it is.
    greatest : float >= 0
        What covers most.

    Returns
    -------
    ndarray, uint8 (H, W, 3)
    """
    scale = Scale(0.0, greatest, EVIDENCE)
    rows, columns = (
        np.arange(side) * places // side
        for side, places in zip(image.shape, values.shape, strict=True)
    )
    cover = COVER * scale.share(values)[np.ix_(rows, columns)][..., None]  # (H, W, 1)
    orange = np.array(EVIDENCE(1.0)[:3]) * 255
    return np.rint((1 - cover) * image[..., None] + cover * orange).astype(np.uint8)
