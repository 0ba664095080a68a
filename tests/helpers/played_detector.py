"""A detector that takes white squares for faces, in place of OpenCV's."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from minicnn.inference import faces

BACKGROUND = 90


class WhiteSquares:
    """What `cv2.CascadeClassifier` is asked for, answered by the white parts of a picture."""

    def detectMultiScale(
        self, grey: np.ndarray, *, scaleFactor: float, minNeighbors: int,
        minSize: tuple[int, int],
    ) -> np.ndarray | tuple[()]:
        assert grey.dtype == np.uint8
        assert grey.flags.c_contiguous
        white = grey > (255 + BACKGROUND) // 2
        found = []
        for row, column in np.argwhere(white):
            if not white[row, column]:
                continue
            height = int(np.argmin(np.append(white[row:, column], False)))
            width = int(np.argmin(np.append(white[row, column:], False)))
            white[row : row + height, column : column + width] = False
            if height >= minSize[0]:
                found.append((column, row, width, height))
        return np.array(found, np.int32) if found else ()


def photo(width: int, height: int, *squares: tuple[int, int, int]) -> Image.Image:
    """A grey picture with white squares, each given by its left, its top and its side."""
    image = Image.new("RGB", (width, height), (BACKGROUND,) * 3)
    for left, top, side in squares:
        image.paste("white", (left, top, left + side, top + side))
    return image


@contextmanager
def playing() -> Iterator[None]:
    """Within the block white squares are faces, whether or not OpenCV is installed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(faces, "_cascade_file", lambda: Path("played.xml"))
        patch.setattr(faces, "_cascade", WhiteSquares)
        yield


@contextmanager
def absent() -> Iterator[None]:
    """Within the block there is no detector."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(faces, "_cascade_file", lambda: None)
        yield
