"""Looking for the faces in a photo, by the cascade of P. Viola and M. Jones that OpenCV brings.

"Rapid object detection using a boosted cascade of simple features", CVPR 2001,
doi:10.1109/CVPR.2001.990517. OpenCV is the extra ``faces``; decision 037 says why it was chosen.
"""

import functools
import importlib.util
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from minicnn.data import IMAGE_SIZE
from minicnn.data.sources.images import read_photo
from minicnn.errors import InputError

INSTALL = 'python -m pip install "opencv-python-headless<5"'
"""What brings the detector; version 5 left its cascades out. Windows knows double quotes alone."""

LARGEST_CROP = 64
"""A picture of at most so many pixels a side, and nearly square, is a face's crop itself."""

MARGIN = 1.1
"""How much wider a face's box is than the window that the detector finds it in."""

_CASCADE = "haarcascade_frontalface_alt.xml"
_WORKING_SIDE = 1280  # pixels of the longer side: larger pictures are made smaller to be searched
_LEAST_FACE = 24  # pixels of the side; a face's expression shows in few fewer
_LEAST_SHARE = 1 / 40  # of the longer side
_SCALE_STEP = 1.1  # from one size of face that is looked for to the next
_LEAST_AGREEING = 4  # neighbouring windows that see a face, of those that are believed
_BORDER = 0.25  # of the shorter side, laid around a picture so that a face may touch its edge
_ONE_AT_A_TIME = threading.Lock()  # of the threads that search: a cascade keeps its picture


@dataclass(frozen=True, order=True)
class Face:
    """Where a face is in a picture: a square, which may reach beyond the picture's edge.

    Parameters
    ----------
    left : int
        Column of its first pixel.
    top : int
        Row of its first pixel.
    size : int
        Pixels of its side.
    """

    left: int
    top: int
    size: int

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Left, top, right and bottom, the latter two just behind the last pixel."""
        return self.left, self.top, self.left + self.size, self.top + self.size

    def crop(self, image: np.ndarray) -> np.ndarray:
        """What the network sees of this face.

        Parameters
        ----------
        image : ndarray, uint8 (H, W) or (H, W, 3)
            The picture, upright.

        Returns
        -------
        ndarray, uint8 (48, 48)
            Grey. Beyond the edge of the picture, its last pixels go on.
        """
        height, width = image.shape[:2]
        rows = np.arange(self.top, self.top + self.size).clip(0, height - 1)
        columns = np.arange(self.left, self.left + self.size).clip(0, width - 1)
        square = Image.fromarray(image[np.ix_(rows, columns)]).convert("L")
        return np.array(square.resize((IMAGE_SIZE, IMAGE_SIZE), Image.Resampling.LANCZOS))


def find_faces(picture: str | os.PathLike | np.ndarray) -> tuple[Face, ...]:
    """The frontal, upright faces in a picture.

    A picture with a longer side above 1,280 pixels is searched at that size. Faces are found that
    are 24 pixels high and a fortieth of the longer side. Some are missed, most of them turned
    aside, and some patterns are taken for faces: docs/model-card.md has figures.

    Parameters
    ----------
    picture : path or ndarray, uint8 (H, W) or (H, W, 3)
        A file, turned upright by its EXIF orientation, or grey levels or RGB.

    Returns
    -------
    tuple of Face
        From left to right; perhaps none. ``face.crop(image)`` is what
        `minicnn.inference.classifier.Classifier.probabilities` takes.

    Raises
    ------
    InputError
        The detector is not installed or cannot be imported, or the file is no picture.
    TypeError, ValueError
        The array is not of uint8, or of another shape.

    Examples
    --------
    What a network says of each face::

        photo = ImageOps.exif_transpose(Image.open("photo.jpg"))  # upright, as phones mean it
        image = np.asarray(photo.convert("RGB"))
        crops = [face.crop(image) for face in find_faces(image)]
        answers = Classifier.load("best-single").probabilities(np.stack(crops))
    """
    if not detector_available():
        raise InputError(f"find_faces: expected OpenCV with its cascades, got none: {INSTALL}")
    grey = _grey(picture)
    factor = min(1.0, _WORKING_SIDE / max(grey.shape))
    if factor < 1:
        smaller = (round(grey.shape[1] * factor) or 1, round(grey.shape[0] * factor) or 1)
        grey = np.array(Image.fromarray(grey).resize(smaller, Image.Resampling.BOX))
    least = max(_LEAST_FACE, round(max(grey.shape) * _LEAST_SHARE))
    border = round(min(grey.shape) * _BORDER)
    with _ONE_AT_A_TIME:
        windows = _cascade().detectMultiScale(
            np.pad(grey, border, mode="edge"), scaleFactor=_SCALE_STEP,
            minNeighbors=_LEAST_AGREEING, minSize=(least, least),
        )
    return tuple(sorted(
        _face((left - border) / factor, (top - border) / factor, side / factor)
        for left, top, side, _ in np.asarray(windows).reshape(-1, 4).tolist()
    ))


def detector_available() -> bool:
    """Whether OpenCV and the cascade that it looks for faces with are installed."""
    return _cascade_file() is not None


def is_crop(width: int, height: int) -> bool:
    """Whether a picture of this size is a face's crop, as FER2013's are: small and about square.

    At most `LARGEST_CROP` pixels a side, and the longer side at most a third longer.
    """
    longer, shorter = max(width, height), min(width, height)
    return longer <= LARGEST_CROP and 3 * longer <= 4 * shorter


def _face(left: float, top: float, side: float) -> Face:
    """The face in a window, with a margin on each side."""
    more = (MARGIN - 1) / 2 * side
    return Face(round(left - more), round(top - more), round(MARGIN * side))


def _grey(picture: str | os.PathLike | np.ndarray) -> np.ndarray:
    if not isinstance(picture, np.ndarray):
        return np.array(read_photo(picture).image.convert("L"))
    if picture.dtype != np.uint8:
        raise TypeError(f"find_faces: expected a picture of uint8, got {picture.dtype}")
    if picture.size == 0 or not (
        picture.ndim == 2 or (picture.ndim == 3 and picture.shape[2] == 3)
    ):
        raise ValueError(f"find_faces: expected (H, W) or (H, W, 3), got {picture.shape}")
    return np.array(Image.fromarray(picture).convert("L"))


def _cascade_file() -> Path | None:
    specification = importlib.util.find_spec("cv2")
    for place in (specification and specification.submodule_search_locations) or ():
        file = Path(place, "data", _CASCADE)
        if file.is_file():
            return file
    return None


@functools.cache
def _cascade() -> Any:
    """OpenCV's detector, from the text of its file: on Windows it opens no path with umlauts."""
    try:
        import cv2
    except ImportError as error:  # a library of the system that a full OpenCV needs is missing
        raise InputError(
            f"find_faces: OpenCV is installed, but cannot be imported ({error}): {INSTALL}"
        ) from error
    file = _cascade_file()
    assert file is not None
    text = file.read_text(encoding="utf-8")
    storage = cv2.FileStorage(text, cv2.FILE_STORAGE_READ | cv2.FILE_STORAGE_MEMORY)
    cascade = cv2.CascadeClassifier()
    cascade.read(storage.getFirstTopLevelNode())
    return cascade
