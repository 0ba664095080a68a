"""Reading one picture, of any size and kind, the way FER2013 stores a face."""

import os
import struct
import zlib

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from minicnn.data.dataset import IMAGE_SIZE
from minicnn.errors import InputError
from minicnn.files import require_file

# What Pillow's decoders raise on data that is no picture, or a damaged one.
_DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    OverflowError,
    RuntimeError,
    struct.error,
    zlib.error,
)


def read_grey(path: str | os.PathLike) -> np.ndarray:
    """The picture in `path` as a 48×48 grey image.

    It is turned upright (EXIF orientation), laid on white where it is transparent, made grey,
    cropped to the square at its centre, and resized with a Lanczos filter. An 8-bit grey picture of
    48×48 comes out bit for bit as it is stored. Of an animation the first frame is read.

    Parameters
    ----------
    path : path
        Any file that Pillow reads. Colours become grey by ITU-R BT.601 luma; 16-bit grey is scaled
        by 255 / 65535; floating-point grey may lie in [0, 1] or in [0, 255].

    Returns
    -------
    ndarray, uint8 (48, 48)
        Grey levels, 0 black to 255 white.

    Raises
    ------
    InputError
        There is no such file, it is no picture, is damaged or cut short, or has so many pixels
        that Pillow takes it for a decompression bomb (``PIL.Image.MAX_IMAGE_PIXELS``, twice).
    """
    path = require_file(path, "a picture")
    try:
        with Image.open(path) as picture:
            grey = _grey(ImageOps.exif_transpose(picture))
        square = ImageOps.fit(grey, (IMAGE_SIZE, IMAGE_SIZE), Image.Resampling.LANCZOS)
    except UnidentifiedImageError:
        raise InputError(f"{path}: expected a picture, got a file of no format known") from None
    except Image.DecompressionBombError:
        raise InputError(
            f"{path}: expected at most {2 * (Image.MAX_IMAGE_PIXELS or 0)} pixels, got more"
        ) from None
    except _DAMAGE as error:
        reason = " ".join(str(error).split())
        raise InputError(
            f"{path}: expected a whole picture, got one that cannot be decoded ({reason})"
        ) from error
    return np.array(square)


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
