"""Small images at an honest size: whole pixels, enlarged without smoothing, side by side."""

import numpy as np

GAP = 4
"""Transparent pixels between two tiles."""

MOST_ENLARGED = 8
"""Pixels of the screen to a pixel of an image, at most: a map of 3 × 3 places stays small."""


def enlargement(height: int, width: int, size: int) -> int:
    """The whole factor that brings an image nearest to a size.

    Parameters
    ----------
    height, width : int >= 1
        Of the image.
    size : int
        Wanted of its longer side.

    Returns
    -------
    int
        At least 1 and at most `MOST_ENLARGED`.
    """
    return min(max(round(size / max(height, width)), 1), MOST_ENLARGED)


def tile(images: np.ndarray, *, columns: int, factor: int) -> np.ndarray:
    """Lay images out in rows on a transparent sheet.

    Parameters
    ----------
    images : ndarray, uint8 (N, H, W, 3)
        N at least 1.
    columns : int
        At most so many images a row.
    factor : int >= 1
        Each pixel becomes a square of so many pixels a side.

    Returns
    -------
    ndarray, uint8 (rows of pixels, columns of pixels, 4)
        RGBA; transparent where there is no image.
    """
    images = images.repeat(factor, axis=1).repeat(factor, axis=2)
    count, height, width, _ = images.shape
    columns = min(columns, count)
    rows = -(-count // columns)
    sheet = np.zeros((rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, 4), np.uint8)
    for number, image in enumerate(images):
        row, column = divmod(number, columns)
        top, left = row * (height + GAP), column * (width + GAP)
        sheet[top : top + height, left : left + width, :3] = image
        sheet[top : top + height, left : left + width, 3] = 255
    return sheet
