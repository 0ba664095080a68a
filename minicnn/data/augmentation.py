"""Augmentation: small random changes to the pictures of a batch that leave their classes alone.

`Augmentation` says how large the changes may be. Calling it draws the `Changes` of a batch, one row
a picture, and applies them: mirroring, turning, resizing and shifting make one affine map, so that
each picture is sampled once.
"""

from dataclasses import dataclass

import numpy as np

from minicnn import validation
from minicnn.compiling.kernels import parallel, worker

_GREATEST = {"shift": 1.0, "rotate": 180.0, "scale": 0.9, "brightness": np.inf, "erase": 1.0}
"""The greatest value of each setting; the least is 0."""

_ROWS = {
    "flip": ("b", ()), "scale": ("iuf", ()), "angle": ("iuf", ()), "shift": ("iuf", (2,)),
    "brightness": ("iuf", ()), "box": ("iu", (4,)),
}
"""What `Changes` holds for a picture: kinds of its numbers, as NumPy calls them, and its shape."""

_KINDS = {"b": "booleans", "iuf": "real numbers", "iu": "integers"}

_FURTHEST = 1e15
"""Pixels from which no part of a picture is taken: beyond them float64 knows no single pixel."""


@dataclass(frozen=True)
class Changes:
    """What happens to each of N pictures, in this order.

    Parameters
    ----------
    flip : ndarray, bool (N,)
        Mirrored, left to right.
    scale : ndarray (N,)
        Factor of its size, about its centre; above 0.
    angle : ndarray (N,)
        Turn about its centre in radians, counter-clockwise as `numpy.rot90` turns.
    shift : ndarray (N, 2)
        Pixels down and to the right.
    brightness : ndarray (N,)
        Added to every pixel.
    box : ndarray, int (N, 4)
        Top, left, bottom and right of the rectangle to erase, inside the picture, the last two
        exclusive; an empty one erases nothing.
    """

    flip: np.ndarray
    scale: np.ndarray
    angle: np.ndarray
    shift: np.ndarray
    brightness: np.ndarray
    box: np.ndarray


@dataclass(frozen=True)
class Augmentation:
    """Random changes to the pictures of a batch, each drawn uniformly; by default none.

    Parameters
    ----------
    flip : bool, default False
        Mirror every picture, left to right, with probability ½.
    shift : float, default 0.0
        Greatest shift in either direction, as a share of the picture's height (down) and of its
        width (across), 0 to 1.
    rotate : float, default 0.0
        Greatest turn in either direction, in degrees, 0 to 180.
    scale : float, default 0.0
        Greatest relative change of size, 0 to 0.9: the factor lies in ``[1 - scale, 1 + scale]``.
    brightness : float, default 0.0
        Greatest number added to or taken from all of a picture's pixels, at least 0. Standardised
        pictures count it in standard deviations of the training pixels.
    erase : float, default 0.0
        Probability, 0 to 1, of replacing a rectangle by the picture's mean, channel by channel
        (random erasing: Zhong et al. 2020, arXiv:1708.04896). Its height and width are each
        between an eighth and three eighths of the picture's, rounded up to pixels.

    Raises
    ------
    TypeError, ValueError
        For a setting of another type, or outside its range.

    Examples
    --------
    >>> import numpy as np
    >>> from minicnn.data.augmentation import Augmentation
    >>> augment = Augmentation(flip=True, shift=0.1, rotate=10)
    >>> augment(np.zeros((64, 48, 48, 1), np.float32), np.random.default_rng(0)).shape
    (64, 48, 48, 1)
    """

    flip: bool = False
    shift: float = 0.0
    rotate: float = 0.0
    scale: float = 0.0
    brightness: float = 0.0
    erase: float = 0.0

    def __post_init__(self) -> None:
        validation.flag("Augmentation", "flip", self.flip)
        for name, most in _GREATEST.items():
            validation.number("Augmentation", name, getattr(self, name), 0, most)

    def __call__(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """The batch with fresh changes.

        Parameters
        ----------
        images : ndarray, float32 or float64 (N, H, W, C)
            Left as they are.
        rng : numpy.random.Generator
            Where the changes come from.

        Returns
        -------
        ndarray (N, H, W, C)
            A new array of the same dtype.

        Raises
        ------
        ValueError
            For an array of another dtype or number of axes.
        """
        count, height, width, _ = _checked(images).shape
        return apply(images, self.draw(count, height, width, rng))

    def draw(self, count: int, height: int, width: int, rng: np.random.Generator) -> Changes:
        """The changes of `count` pictures of this size.

        Every setting uses random numbers of its own, needed or not, so that changing one does not
        change what is drawn for the others.

        Parameters
        ----------
        count, height, width : int
            How many pictures, and their size in pixels.
        rng : numpy.random.Generator
            Where the changes come from.

        Returns
        -------
        Changes
            One row a picture, for `apply`.
        """
        unit = rng.random((11, count))
        flip, erase, box_size, box_place = unit[0], unit[1], unit[2:4], unit[4:6]
        down, across, angle, scale, brightness = 2 * unit[6:] - 1
        sides = np.array([[height], [width]])
        size = np.ceil((1 + 2 * box_size) / 8 * sides) * (erase < self.erase)
        start = np.floor(box_place * (sides - size + 1))
        return Changes(
            flip=(flip < 0.5) & self.flip,
            scale=1 + self.scale * scale,
            angle=np.radians(self.rotate) * angle,
            shift=self.shift * np.stack([height * down, width * across], axis=1),
            brightness=self.brightness * brightness,
            box=np.concatenate([start, start + size]).T.astype(np.int64),
        )


def apply(images: np.ndarray, changes: Changes) -> np.ndarray:
    """The pictures with these changes.

    Places between pixels are interpolated bilinearly; places outside the picture take the nearest
    pixel of its edge.

    Parameters
    ----------
    images : ndarray, float32 or float64 (N, H, W, C)
        Left as they are.
    changes : Changes
        One row a picture.

    Returns
    -------
    ndarray (N, H, W, C)
        A new array of the same dtype.

    Raises
    ------
    TypeError, ValueError
        For images of another dtype or number of axes, or changes of another dtype or shape or
        outside their range.
    """
    images = _checked(images)
    _check_changes(changes, *images.shape[:3])
    images = np.require(images, images.dtype.type, ["C", "A", "W"])
    with np.errstate(all="ignore"):  # what becomes too large is refused
        sources = _sources(changes, *images.shape[1:3])
    if not (np.abs(sources) <= _FURTHEST).all():
        raise ValueError(
            f"augmentation: shift and 1 / scale must lead at most {_FURTHEST:g} pixels away"
        )
    brightness = np.ascontiguousarray(changes.brightness, np.float64)
    boxes = np.ascontiguousarray(changes.box, np.int64)
    changed = np.empty_like(images)
    _change_one(len(images), images, sources, brightness, boxes, changed)
    return changed


def _sources(changes: Changes, height: int, width: int) -> np.ndarray:
    """Where each pixel of the result comes from, float64 (N, 2, 3).

    Row and column ``(i, j)`` of the result lie at ``source @ (i, j, 1)`` in the picture: the
    changes undone in reverse order, ``F S⁻¹ R⁻¹ (p - centre - shift) + centre``.
    """
    centre = np.array([(height - 1) / 2, (width - 1) / 2])
    cosine, sine = np.cos(changes.angle) / changes.scale, np.sin(changes.angle) / changes.scale
    mirror = np.where(changes.flip, -1.0, 1.0)
    sources = np.empty((len(cosine), 2, 3))
    sources[:, 0, 0], sources[:, 0, 1] = cosine, sine
    sources[:, 1, 0], sources[:, 1, 1] = -sine * mirror, cosine * mirror
    turned = np.einsum("nij,nj->ni", sources[:, :, :2], centre + changes.shift)
    sources[:, :, 2] = centre - turned
    return sources


@parallel
def _change_one(n: int, images: np.ndarray, sources: np.ndarray, brightness: np.ndarray,
                boxes: np.ndarray, changed: np.ndarray) -> None:
    _change(images[n], sources[n], brightness[n], boxes[n], changed[n])


@worker
def _change(image: np.ndarray, source: np.ndarray, brightness: float, box: np.ndarray,
            changed: np.ndarray) -> None:
    height, width, channels = image.shape
    for row in range(height):
        start_y = source[0, 0] * row + source[0, 2]
        start_x = source[1, 0] * row + source[1, 2]
        for column in range(width):
            y = min(max(start_y + source[0, 1] * column, 0.0), height - 1.0)
            x = min(max(start_x + source[1, 1] * column, 0.0), width - 1.0)
            top, left = np.uint32(y), np.uint32(x)              # unsigned: no index from the end
            bottom = np.uint32(min(top + 1, height - 1))
            right = np.uint32(min(left + 1, width - 1))
            down, across = y - top, x - left
            for c in range(channels):
                upper = image[top, left, c] * (1 - across) + image[top, right, c] * across
                lower = image[bottom, left, c] * (1 - across) + image[bottom, right, c] * across
                changed[row, column, c] = upper * (1 - down) + lower * down + brightness
    if box[0] < box[2]:
        _erase(changed, box)


@worker
def _erase(image: np.ndarray, box: np.ndarray) -> None:
    height, width, channels = image.shape
    for c in range(channels):
        total = 0.0                                             # float64, whatever the picture is
        for row in range(height):
            for column in range(width):
                total += image[row, column, c]
        image[box[0]:box[2], box[1]:box[3], c] = total / (height * width)


def _check_changes(changes: Changes, count: int, height: int, width: int) -> None:
    for name, (kinds, row) in _ROWS.items():
        value = getattr(changes, name)
        if not isinstance(value, np.ndarray) or value.dtype.kind not in kinds:
            raise TypeError(
                f"augmentation: {name} must be an array of {_KINDS[kinds]}, "
                f"got {getattr(value, 'dtype', type(value).__name__)}"
            )
        if value.shape != (count, *row):
            raise ValueError(
                f"augmentation: {name} must have shape {(count, *row)} for {count} images, "
                f"got {value.shape}"
            )
        if not np.isfinite(value).all():
            raise ValueError(f"augmentation: {name} must be finite, got NaN or infinity")
    if (changes.scale <= 0).any():
        raise ValueError(f"augmentation: scale must be above 0, got {changes.scale.min():g}")
    start, end = changes.box[:, :2], changes.box[:, 2:]
    if not ((start >= 0) & (start <= end) & (end <= (height, width))).all():
        raise ValueError(
            f"augmentation: box must lie inside the picture of {height}×{width} pixels, from its "
            "top and left to its bottom and right"
        )


def _checked(images: np.ndarray) -> np.ndarray:
    if images.ndim != 4 or images.dtype.type not in (np.float32, np.float64):
        raise ValueError(
            "augmentation: images must be float32 or float64 (N, H, W, C), "
            f"got {images.dtype} {images.shape}"
        )
    return images
