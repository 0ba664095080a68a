"""Reading one picture, of any size and kind, the way FER2013 stores a face."""

import io
import os
import warnings
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from minicnn.data.dataset import IMAGE_SIZE
from minicnn.data.sources.levels import eight_bits
from minicnn.errors import InputError, PictureWarning
from minicnn.files.reading import read_limited

# Pillow knows more, some of which run other programs, and many of which few people read.
_FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")

MOST_PIXELS = 2**26
"""Of a picture: a camera's 64 megapixels, which take half a gigabyte to make grey."""

MOST_BYTES = 2**28
"""Of a picture's file."""


_REFUSED = (
    (4, b"ftypheic", "HEIC"), (4, b"ftypheix", "HEIC"), (4, b"ftypheim", "HEIC"),
    (4, b"ftypheis", "HEIC"), (4, b"ftyphevc", "HEIC"), (4, b"ftypmif1", "HEIF"),
    (4, b"ftypmsf1", "HEIF"), (0, b"%PDF", "PDF"), (0, b"%!PS", "PostScript"), (0, b"<svg", "SVG"),
    (0, b"8BPS", "PSD"), (0, b"\0\0\0\x0cJXL ", "JPEG XL"), (0, b"\xff\x0a", "JPEG XL"),
    (0, b"\0\0\0\x0cjP  ", "JPEG 2000"), (0, b"II*\0", "TIFF of a kind that is not read"),
    (0, b"MM\0*", "TIFF of a kind that is not read"), (0, b"\0\0\1\0", "ICO"),
    (4, b"ftypavif", "AVIF, which this Pillow does not read"),
)
"""What other pictures begin with, and where."""

LEAST_CONTRAST = 16
"""Of 256 grey levels, that a face spans at least; of FER2013's blank pictures, none does."""


@dataclass(frozen=True, eq=False)
class Photo:
    """A picture as people look at it.

    Parameters
    ----------
    image : PIL.Image.Image
        Upright, of mode L or RGB, on white where it was transparent.
    notes : tuple of str
        What was assumed to read it.
    """

    image: Image.Image
    notes: tuple[str, ...] = ()


def read_photo(path: str | os.PathLike) -> Photo:
    """The picture in `path` in its own size.

    It is turned upright (EXIF orientation) and laid on white where it is transparent. Of an
    animation the first frame is read.

    Parameters
    ----------
    path : path
        AVIF, BMP, GIF, JPEG, PNG, PPM, TIFF or WebP. `minicnn.data.sources.levels.eight_bits` says
        how levels of more than 8 bits are scaled.

    Returns
    -------
    Photo

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
            shallow, assumption = eight_bits(picture, content)
            image = _on_white(ImageOps.exif_transpose(shallow))
    except UnidentifiedImageError:
        raise InputError(f"{path}: expected a picture, got {_kind(content)}") from None
    except Image.DecompressionBombError:
        raise InputError(_too_many(path)) from None
    except (InputError, MemoryError):
        raise
    except Exception as error:  # whatever the damage led Pillow's decoders to
        reason = " ".join(str(error).split())
        raise InputError(
            f"{path}: expected a whole picture, got one that cannot be decoded ({reason})"
        ) from error
    return Photo(image, (f"{path}: {assumption}",) if assumption else ())


def read_grey(path: str | os.PathLike) -> np.ndarray:
    """The picture in `path` as a 48×48 grey image.

    It is read by `read_photo`, made grey, cropped to the square at its centre, and resized with a
    Lanczos filter. An 8-bit grey picture of 48×48 comes out bit for bit as it is stored.

    Parameters
    ----------
    path : path
        As of `read_photo`. Colours become grey by ITU-R BT.601 luma.

    Returns
    -------
    ndarray, uint8 (48, 48)
        Grey levels, 0 black to 255 white.

    Raises
    ------
    InputError
        As of `read_photo`.

    Warns
    -----
    PictureWarning
        Something was assumed, or the picture has less than `LEAST_CONTRAST`.
    """
    grey, notes = grey_and_notes(path)
    for note in notes:
        warnings.warn(note, PictureWarning, stacklevel=2)
    return grey


def grey_and_notes(path: str | os.PathLike) -> tuple[np.ndarray, tuple[str, ...]]:
    """What `read_grey` gives, and what it warns of."""
    photo = read_photo(path)
    grey = as_face(photo.image)
    return grey, (*photo.notes, *contrast_notes(grey, path))


def as_face(image: Image.Image) -> np.ndarray:
    """The square at the centre of a picture, grey, uint8 (48, 48)."""
    size = (IMAGE_SIZE, IMAGE_SIZE)
    return np.array(ImageOps.fit(image.convert("L"), size, Image.Resampling.LANCZOS))


def contrast_notes(grey: np.ndarray, name: str | os.PathLike) -> tuple[str, ...]:
    """One sentence where an image's grey levels, uint8, differ too little to show a face."""
    least, most = int(grey.min()), int(grey.max())
    if most - least >= LEAST_CONTRAST:
        return ()
    return (
        f"{name}: there is no contrast (its levels lie from {least} to {most} of 255): it shows no "
        "face",
    )


def _kind(content: bytes) -> str:
    """What a file is that is no picture to read, and the way on."""
    for place, mark, kind in _REFUSED:
        if content[place : place + len(mark)] == mark:
            return f"{kind}: save it as JPEG or PNG"
    if b"<svg" in content[:2000]:
        return "SVG: save it as JPEG or PNG"
    if b'"nbformat"' in content:
        return "a notebook: save the picture that it shows as JPEG or PNG"
    return "a file of no format known"


def _require_modest(picture: Image.Image, path: str | os.PathLike) -> None:
    """Refuse a picture of too many pixels, before any of them is decoded."""
    if picture.width * picture.height > MOST_PIXELS:
        raise InputError(_too_many(path))


def _too_many(path: str | os.PathLike) -> str:
    return f"{path}: expected at most {MOST_PIXELS:,} pixels, got more"


def _on_white(picture: Image.Image) -> Image.Image:
    """`picture` in mode L or RGB, with white where it is transparent."""
    grey = picture.mode in ("1", "L", "LA")
    if picture.has_transparency_data:
        layer = picture.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        picture = Image.alpha_composite(white, layer)
    return picture.convert("L" if grey else "RGB")
