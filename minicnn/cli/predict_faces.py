"""Where ``minicnn predict`` looks in a picture: at the faces found in it, or at its centre."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from minicnn.cli.output import complain
from minicnn.data.sources.images import as_face, contrast_notes, read_photo
from minicnn.inference.faces import INSTALL, Face, detector_available, find_faces, is_crop


@dataclass(frozen=True, eq=False)
class Seen:
    """A picture, and what the network is shown of it.

    Parameters
    ----------
    name : str
        As the user wrote it.
    image : PIL.Image.Image
        Upright, of mode L or RGB.
    faces : tuple of Face, or None
        Those found, of which each is shown; None where the whole picture is taken for one.
    crops : tuple of ndarray, uint8 (48, 48)
    """

    name: str
    image: Image.Image
    faces: tuple[Face, ...] | None
    crops: tuple[np.ndarray, ...]


def look(name: str, whole: bool) -> Seen:
    """Read a picture and find what to show of it; lines on stderr say what was assumed."""
    photo = read_photo(name)
    for note in photo.notes:
        complain(note)
    image = photo.image
    if whole or is_crop(*image.size) or not detector_available():
        crops = (as_face(image),)
        if not (whole or is_crop(*image.size)):
            complain(
                f"{name}: the square at its centre was taken for a face; to look for faces: "
                f"{INSTALL}"
            )
        for note in contrast_notes(crops[0], name):
            complain(note)
        return Seen(name, image, None, crops)
    pixels = np.asarray(image)
    faces = find_faces(pixels)
    if not faces:
        complain(f"{name}: no face found; --whole takes the square at its centre for one")
    return Seen(name, image, faces, tuple(face.crop(pixels) for face in faces))
