"""Reading one picture, of any size and kind, the way FER2013 stores a face."""

import io
import os
import warnings

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from minicnn.data.dataset import IMAGE_SIZE
from minicnn.errors import InputError
from minicnn.files.reading import read_limited

# Pillow knows more, some of which run other programs, and many of which few people read.
_FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")

MOST_PIXELS = 2**26
"""Of a picture: a camera's 64 megapixels, which take half a gigabyte to make grey."""

MOST_BYTES = 2**28
"""Of a picture's file."""


def read_grey(path: str | os.PathLike) -> np.ndarray:
    """The picture in `path` as a 48×48 grey image.

    It is turned upright (EXIF orientation), laid on white where it is transparent, made grey,
    cropped to the square at its centre, and resized with a Lanczos filter. An 8-bit grey picture of
    48×48 comes out bit for bit as it is stored. Of an animation the first frame is read.

    Parameters
    ----------
    path : path
        AVIF, BMP, GIF, JPEG, PNG, PPM, TIFF or WebP. Colours become grey by ITU-R BT.601 luma;
        16-bit grey is scaled by 255 / 65535; floating-point grey may lie in [0, 1] or in [0, 255].

    Returns
    -------
    ndarray, uint8 (48, 48)
        Grey levels, 0 black to 255 white.

    Raises
    ------
    InputError
        There is no such file, it is no picture, is damaged or cut short, or has more than
        `MOST_BYTES` or `MOST_PIXELS`.
    """
    content = read_limited(path, "a picture", MOST_BYTES)
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(
            io.BytesIO(content), formats=_FORMATS
        ) as picture:
            _require_modest(picture, path)
            grey = _grey(ImageOps.exif_transpose(picture))
        square = ImageOps.fit(grey, (IMAGE_SIZE, IMAGE_SIZE), Image.Resampling.LANCZOS)
    except UnidentifiedImageError:
        raise InputError(f"{path}: expected a picture, got a file of no format known") from None
    except Image.DecompressionBombError:
        raise InputError(_too_many(path)) from None
    except InputError:
        raise
    except Exception as error:  # whatever the damage led Pillow's decoders to
        reason = " ".join(str(error).split())
        raise InputError(
            f"{path}: expected a whole picture, got one that cannot be decoded ({reason})"
        ) from error
    return np.array(square)


def _require_modest(picture: Image.Image, path: str | os.PathLike) -> None:
    """Refuse a picture of too many pixels, before any of them is decoded."""
    if picture.width * picture.height > MOST_PIXELS:
        raise InputError(_too_many(path))


def _too_many(path: str | os.PathLike) -> str:
    return f"{path}: expected at most {MOST_PIXELS:,} pixels, got more"


def _grey(picture: Image.Image) -> Image.Image:
    """`picture` in Pillow's mode L, 8-bit grey."""
    if picture.mode == "I" or picture.mode.startswith("I;16"):
        return _from_levels(np.asarray(picture, np.float64) / 65535)
    if picture.mode == "F":
        levels = np.asarray(picture, np.float64)
        return _from_levels(levels if levels.max() <= 1 else levels / 255)
    if picture.has_transparency_data:
        layer = picture.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(white, layer).convert("L")
    return picture.convert("L")


def _from_levels(levels: np.ndarray) -> Image.Image:
    """A grey picture from levels in [0, 1], float64 ``(H, W)``."""
    if not (levels.min() >= 0 and levels.max() <= 1):
        raise ValueError("its grey levels leave the range of its format")
    return Image.fromarray(np.rint(levels * 255).astype(np.uint8))
