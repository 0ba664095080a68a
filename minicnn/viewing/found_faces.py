"""A photo with the faces that were found in it: a box around each, and what it was taken for."""

import functools
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from minicnn.inference.faces import Face

LEAST_SIDE = 640
"""Pixels of the longer side: a smaller picture is enlarged, so that the words can be read."""

_COLOUR, _TEXT = "#ffd400", "black"


def draw_faces(image: Image.Image, faces: Sequence[Face], words: Sequence[str]) -> Image.Image:
    """A copy of a picture with a box around each face and a few words beside it.

    Lines and letters grow with the picture. Words stand above their box; where there is no room,
    below or inside it.

    Parameters
    ----------
    image : PIL.Image.Image
        Upright. One of less than `LEAST_SIDE` is enlarged by a whole number.
    faces : sequence of Face
    words : sequence of str
        Of each face; of one line.

    Returns
    -------
    PIL.Image.Image
        Of mode RGB.
    """
    factor = max(1, -(-LEAST_SIDE // max(image.size)))
    drawn = image.convert("RGB").resize((image.width * factor, image.height * factor))
    pen = ImageDraw.Draw(drawn)
    longer = max(drawn.size)
    thickness = max(2, round(longer / 400))
    taken: list[tuple[float, float, float, float]] = []
    for face in faces:
        pen.rectangle(_enlarged(face, factor), outline=_COLOUR, width=thickness)
    for face, text in zip(faces, words, strict=True):
        left, top, right, bottom = _enlarged(face, factor)
        font = _font(max(14, round(longer / 70), min(round(longer / 30), (right - left) // 8)))
        place = _place((left, top, right, bottom), _size(text, font), drawn.size, taken)
        taken.append(place)
        pen.rectangle(place, fill=_COLOUR)
        pen.text(((place[0] + place[2]) / 2, (place[1] + place[3]) / 2), text, _TEXT, font, "mm")
    return drawn


def _enlarged(face: Face, factor: int) -> tuple[int, int, int, int]:
    left, top, right, bottom = (factor * edge for edge in face.box)
    return left, top, right - 1, bottom - 1


@functools.cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _size(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> tuple[float, float]:
    """The width and height of the words with a margin around them."""
    left, _, right, _ = font.getbbox(text)
    height = font.getbbox("Ag")[3]
    return right - left + height / 2, 1.3 * height


def _place(
    box: tuple[int, int, int, int], size: tuple[float, float], picture: tuple[int, int],
    taken: list[tuple[float, float, float, float]],
) -> tuple[float, float, float, float]:
    """A rectangle for words: inside the picture, and off other words if it can be."""
    left, top, _, bottom = box
    width, height = size
    last_row = picture[1] - height
    column = max(0, min(left, picture[0] - width))
    rows = [row for row in (top - height, bottom, top, bottom - height) if 0 <= row <= last_row]
    places = [(column, row, column + width, row + height) for row in rows or [0]]
    free = [place for place in places if not any(_overlap(place, other) for other in taken)]
    return (free or places)[0]


def _overlap(
    one: tuple[float, float, float, float], other: tuple[float, float, float, float]
) -> bool:
    return (one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3])
