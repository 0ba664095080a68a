"""Pictures of more than 8 bits a level, scaled to the 8 bits that a face is stored with.

A file often has room for more bits than its levels have: a camera's 10 or 12 bits stand in 16, or
levels up to 255 in 32. This file decides which level is white.
"""

import io
import struct
import sys
from typing import Any

import numpy as np
from PIL import Image, ImageFile

USUAL_BITS = (8, 10, 12, 16)
"""How many bits levels may have where the file has room for more and declares nothing."""

_BITS, _PHOTOMETRIC, _ORIENTATION = 258, 262, 274  # tags of TIFF; EXIF shares the third one
_MOST, _SAMPLE_FORMAT, _MOST_OF_OTHERS = 281, 339, 341
_SIGNED = (2,)  # a SampleFormat
_OVERSHOOT = 0.1  # of white: by how much floating-point levels may leave their range at an edge


def eight_bits(picture: ImageFile.ImageFile, content: bytes) -> tuple[Image.Image, str]:
    """`picture` with 8 bits a level, and what was assumed to make it so.

    White is the level that the file declares: by the sBIT chunk of a PNG whose levels fit it, by
    MaxSampleValue or 12 BitsPerSample of a TIFF, by the maxval of a PGM or PPM. Where it declares
    nothing but its 16 or 32 bits, white is the largest level of the fewest `USUAL_BITS` that hold
    all levels, or of the fewest bits above these. Floating-point levels that end at 1 lie in
    [0, 1].

    Parameters
    ----------
    picture : PIL.ImageFile.ImageFile
        Opened, not loaded yet.
    content : bytes
        Its file.

    Returns
    -------
    picture : PIL.Image.Image
        The same one where its levels have 8 bits.
    assumption : str
        A sentence; empty where nothing was assumed.

    Raises
    ------
    ValueError
        Where a level is not finite, negative, or higher than its format has any.
    """
    tags: Any = getattr(picture, "tag_v2", {})
    declared = _declared_white(picture, tags, content)  # before it is loaded
    levels, alpha = _levels_and_alpha(picture, content, declared)
    if levels is None:
        return picture, ""
    if levels.dtype == np.int32 and tags.get(_SAMPLE_FORMAT) != _SIGNED:
        levels = levels.view(np.uint32)
    if not np.isfinite(levels).all():
        raise ValueError("some of its grey levels are not finite")
    white, assumption = _white(levels, declared, _room(tags))
    if not -_slack(levels) * white <= levels.min() <= levels.max() <= (1 + _slack(levels)) * white:
        raise ValueError("its grey levels leave the range of its format")
    grey = _scaled(levels, white)
    if tags.get(_PHOTOMETRIC) == 0:  # white is zero
        grey = 255 - grey
    bands = grey.reshape(*grey.shape[:2], -1)  # (H, W, 1 or 3)
    if alpha is None and (clear := picture.info.get("transparency")) is not None:
        alpha = _scaled((levels.reshape(bands.shape) != clear).any(2), 1)
    if alpha is not None:
        bands = np.concatenate([bands, alpha[..., np.newaxis]], axis=2)
    result = Image.fromarray(bands[..., 0] if bands.shape[2] == 1 else bands)
    result.getexif()[_ORIENTATION] = picture.getexif().get(_ORIENTATION, 1)
    return result, assumption


def _declared_white(picture: ImageFile.ImageFile, tags: Any, content: bytes) -> int | None:
    """The white level that a file declares, if it does more than having room for it."""
    bits = 0
    if picture.format == "PNG":
        bits = _significant_bits(content)
    elif picture.format == "TIFF":
        most = tags.get(_MOST, tags.get(_MOST_OF_OTHERS))  # of writers, some leave the true maximum
        bits = int(np.max(most)).bit_length() if most else 12 * (tags.get(_BITS) == (12,))
    elif picture.format == "PPM" and picture.tile:
        tile: Any = picture.tile[0]
        maxval = tile.args[-1]
        if isinstance(maxval, int) and 255 < maxval < 65535:
            return maxval if picture.mode == "RGB" else 65535  # grey is scaled by Pillow
    return 2**bits - 1 if bits else None


def _significant_bits(content: bytes) -> int:
    """What the sBIT chunk of a PNG says of its grey, or of its reds, greens and blues; 0 without.

    The bits should then be the upper ones of 16; where levels fit them, the writer forgot that.
    """
    place = 8
    while place + 8 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, place)
        if kind == b"sBIT":
            return max(content[place + 8 : place + 8 + (3 if length >= 3 else 1)], default=0)
        if kind == b"IDAT":
            break
        place += 12 + length
    return 0


def _room(tags: Any) -> int:
    """The bits that a level of this file may have."""
    return max(tags.get(_BITS, (16,))) - (tags.get(_SAMPLE_FORMAT) == _SIGNED)


def _slack(levels: np.ndarray) -> float:
    return _OVERSHOOT if levels.dtype.kind == "f" else 0


def _white(levels: np.ndarray, declared: int | None, room: int) -> tuple[int, str]:
    """The level that is white, and a sentence on it where it was assumed."""
    top = levels.max()
    if declared is not None and top <= declared:
        return declared, ""
    if levels.dtype.kind == "f" and top <= 1 + _OVERSHOOT:
        return 1, ""
    wide = min(room, max(16, int(top).bit_length()))
    whites = [2**bits - 1 for bits in (*USUAL_BITS, wide) if bits < room] + [2**room - 1]
    white = next((each for each in whites if top <= each * (1 + _slack(levels))), whites[-1])
    if white == whites[-1] or (levels.dtype.kind == "f" and white == 255):
        return white, ""
    return white, (
        f"its levels end at {top:,.0f}, and its file does not say which one is white: "
        f"{white:,} was taken"
    )


def _scaled(levels: np.ndarray, white: int) -> np.ndarray:
    """Levels from 0 to `white` as uint8, rounded; those beyond are 0 or 255."""
    if levels.dtype == np.uint16:
        table = np.rint(np.arange(2**16) * (255 / white)).clip(0, 255).astype(np.uint8)
        return table[levels]
    return np.rint(levels * (255 / white)).clip(0, 255).astype(np.uint8)


def _levels_and_alpha(
    picture: ImageFile.ImageFile, content: bytes, declared: int | None
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Levels of more than 8 bits, ``(H, W)`` or ``(H, W, 3)``, and alpha, uint8 ``(H, W)``.

    Pillow gives the upper 8 bits of colours, which do where some level needs more than 12 bits and
    nothing is declared: then there are no levels.
    """
    if picture.mode in ("I", "F") or picture.mode.startswith("I;16"):
        levels = np.asarray(picture)
        return levels.astype(levels.dtype.newbyteorder("=")), None
    rawmodes = [rawmode for tile in picture.tile if (rawmode := _deep_rawmode(tile))]
    if not rawmodes or len(rawmodes) < len(picture.tile):
        return None, None
    if rawmodes[0] == "LA;16B":  # the four bytes of a pixel are the bands of RGBA
        upper, lower, alpha, _ = np.moveaxis(_decoded(picture, content, ["RGBA"]), 2, 0)
        return upper.astype(np.uint16) << 8 | lower, alpha
    upper = _decoded(picture, content, rawmodes)
    colours = upper[..., :3]
    if declared is None and colours.max() >= 2 ** (12 - 8):
        return None, None
    swapped = [rawmode[:-1] + _SWAPPED[rawmode[-1]] for rawmode in rawmodes]
    lower = _decoded(picture, content, swapped)[..., :3]
    return colours.astype(np.uint16) << 8 | lower, upper[..., 3] if upper.shape[2] > 3 else None


_SWAPPED = {"L": "B", "B": "L", "N": "B" if sys.byteorder == "little" else "L"}


def _deep_rawmode(tile: Any) -> str | None:
    """How Pillow unpacks a part of a file whose colours have 16 bits; None where they have not."""
    rawmode = tile.args if isinstance(tile.args, str) else (*tile.args, "")[0]
    if tile.codec_name == "ppm" and tile.args[0] == "RGB" and tile.args[1] > 255:
        return "RGB;16B"
    deep = isinstance(rawmode, str) and rawmode[:-1] in ("RGB;16", "RGBA;16", "RGBX;16", "LA;16")
    return rawmode if deep else None


def _decoded(
    picture: ImageFile.ImageFile, content: bytes, rawmodes: list[str]
) -> np.ndarray:
    """The bytes of the file's pixels, each part of it unpacked by its raw mode."""
    def unpacked_by(rawmode: str, tile: Any) -> Any:
        if tile.codec_name == "ppm":  # scales each level; as they are stored, they are raw
            return tile._replace(codec_name="raw", args=(rawmode, 0, 1))
        if isinstance(tile.args, str):
            return tile._replace(args=rawmode)
        return tile._replace(args=(rawmode, *tile.args[1:]))

    with Image.open(io.BytesIO(content), formats=[picture.format or ""]) as again:
        again.tile = list(map(unpacked_by, rawmodes, again.tile))
        return np.asarray(again)
