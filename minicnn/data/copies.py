"""Images that stand in a data set more than once, pixel for pixel."""

import numpy as np


def image_numbers(*parts: np.ndarray) -> list[np.ndarray]:
    """A number for each image, equal for images whose pixels all are.

    Parameters
    ----------
    *parts : ndarray, uint8 (N, H, W)
        Any number of arrays of images, of one size.

    Returns
    -------
    list of ndarray, int64 (N,)
        For each array, numbers from 0 on in the order in which images first appear.
    """
    numbers: dict[bytes, int] = {}
    return [
        np.array([numbers.setdefault(image.tobytes(), len(numbers)) for image in part], np.int64)
        for part in parts
    ]


def stands_in(images: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Which of the images stand among the others too.

    Parameters
    ----------
    images : ndarray, uint8 (N, H, W)
    others : ndarray, uint8 (M, H, W)

    Returns
    -------
    ndarray, bool (N,)
    """
    own, theirs = image_numbers(images, others)
    return np.isin(own, theirs)
