"""Many small images as one: each enlarged without smoothing and set on a transparent sheet."""

import numpy as np

GAP = 4
"""Transparent pixels between two tiles."""


def tile(images: np.ndarray, *, columns: int, size: int) -> np.ndarray:
    """Lay images out in rows.

    Parameters
    ----------
    images : ndarray, uint8 (N, H, W, 3)
        N at least 1.
    columns : int
        At most so many images a row.
    size : int
        Each is enlarged by the greatest whole factor that keeps its longer side within `size`
        pixels, at least 1, so that every pixel stays a square.

    Returns
    -------
    ndarray, uint8 (rows of pixels, columns of pixels, 4)
        RGBA; transparent where there is no image.
    """
    factor = max(size // max(images.shape[1:3]), 1)
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
