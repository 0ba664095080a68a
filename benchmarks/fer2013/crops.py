"""How crops by a detector differ from FER2013's own; the figures of docs/model-card.md.

    python -m pip install -e '.[faces]'
    python benchmarks/fer2013/crops.py --data fer2013.csv

`minicnn.inference.find_faces` looks at each image of a split, made four times as large, since it
sees more in larger ones. Of what it finds in an image, the largest box counts. Where one is found,
the network is shown the whole image, as in training, and the box, with several margins.
"""

import argparse

import numpy as np
from PIL import Image

from minicnn.data import fer2013
from minicnn.inference import Face, faces, find_faces
from minicnn.inference.classifier import Classifier

ENLARGED = 4
SIZES = (1.0, 1.1, 1.2, 1.3)
"""Of the box, in units of the window that the detector finds a face in."""


def enlarged(image: np.ndarray) -> np.ndarray:
    side = ENLARGED * len(image)
    return np.array(Image.fromarray(image).resize((side, side), Image.Resampling.LANCZOS))


def with_size(face: Face, size: float) -> Face:
    """The same face with another margin."""
    side = round(face.size / faces.MARGIN * size)
    return Face(face.left + (face.size - side) // 2, face.top + (face.size - side) // 2, side)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--network", default="best-single")
    parser.add_argument("--split", default="test")
    parser.add_argument("--limit", type=int, help="only the first so many images")
    options = parser.parse_args()
    split = dict(fer2013.load(options.data).splits())[options.split]
    images = split.images[: options.limit].reshape(-1, 48, 48)
    labels = split.labels[: options.limit]
    pictures = [enlarged(image) for image in images]
    found = [max(find_faces(picture), key=lambda face: face.size, default=None)
             for picture in pictures]
    rows = np.array([face is not None for face in found])
    boxes = [face for face in found if face is not None]
    sides = np.array([face.size / faces.MARGIN / ENLARGED / 48 for face in boxes])
    print(f"found in {rows.sum():,} of {len(rows):,} images ({rows.mean():.1%})")
    print("the window's side, in sides of the image: quartiles "
          + ", ".join(f"{side:.2f}" for side in np.quantile(sides, (0.25, 0.5, 0.75))))
    classifier = Classifier.load(options.network)

    def right(shown: np.ndarray, of: np.ndarray) -> float:
        return float((classifier.probabilities(shown).argmax(1) == of).mean())

    print(f"whole image, all: {right(images, labels):.2%}")
    print(f"whole image, where none is found: {right(images[~rows], labels[~rows]):.2%}")
    print(f"whole image, where one is found: {right(images[rows], labels[rows]):.2%}")
    where = [picture for picture, is_found in zip(pictures, rows, strict=True) if is_found]
    for size in SIZES:
        crops = np.stack([with_size(face, size).crop(picture)
                          for face, picture in zip(boxes, where, strict=True)])
        print(f"box of {size:.1f} windows: {right(crops, labels[rows]):.2%}", flush=True)


if __name__ == "__main__":
    main()
