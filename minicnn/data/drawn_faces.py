"""Drawn faces: grey pictures of seven expressions, made from a seed, for when there is no data set.

Nobody sat for these pictures. They are ellipses, lenses and bars with soft edges, and they claim
no more than to ask of a network what photographs ask: an expression lies in shapes and in how they
stand to each other, not in single pixels. From emotion to picture in four steps:

1. `EXPRESSIONS`: an emotion is a set of **action units**, each the visible movement of one facial
   muscle or a few, by number and name as in the Facial Action Coding System (Ekman and Friesen
   1978, *Facial Action Coding System: A Technique for the Measurement of Facial Movement*,
   Consulting Psychologists Press):

   ========  =======================  ===========================================================
   angry     4 + 5 + 7 + 24           brows lowered and drawn together, lids tight, lips pressed
   disgust   4 + 7 + 9 + 10 + 25      nose wrinkled, upper lip raised off the teeth
   fear      1 + 2 + 4 + 5 + 20 + 25  inner brows up, eyes wide, mouth stretched and open
   happy     6 + 12 + 25              cheeks and lip corners up, eyes narrowed from below
   sad       1 + 4 + 15 + 17 + 64     inner brows up, lip corners down, eyes cast down
   surprise  1 + 2 + 5 + 27           whole brows up, eyes wide, mouth round and open
   neutral   none                     the face at rest
   ========  =======================  ===========================================================

2. `MOVEMENTS`: an action unit moves some measures of the face, in proportion to its strength,
   which varies from face to face.
3. `RANGES`: every measure varies over people, poses, light and what is in the way.
4. `_render` makes shapes of the measures and paints them over each other, back to front.

Lengths are in halves of a head: the chin lies 1 below the origin, x points right and y down. Grey
levels go from 0, black, to 1, white.
"""

from dataclasses import dataclass

import numpy as np

from minicnn.data.dataset import EMOTIONS, IMAGE_SIZE, Dataset, Split
from minicnn.validation import integer

EXPRESSIONS: dict[str, dict[str, float]] = {
    "angry": {"4 brow lowerer": 1.0, "5 upper lid raiser": 0.3, "7 lid tightener": 0.8,
              "24 lip pressor": 1.0},
    "disgust": {"4 brow lowerer": 0.5, "7 lid tightener": 0.7, "9 nose wrinkler": 1.0,
                "10 upper lip raiser": 1.0, "25 lips part": 0.2},
    "fear": {"1 inner brow raiser": 1.0, "2 outer brow raiser": 0.4, "4 brow lowerer": 0.4,
             "5 upper lid raiser": 0.9, "20 lip stretcher": 1.0, "25 lips part": 1.0},
    "happy": {"6 cheek raiser": 0.9, "12 lip corner puller": 1.0, "25 lips part": 0.7},
    "sad": {"1 inner brow raiser": 0.9, "4 brow lowerer": 0.3, "15 lip corner depressor": 1.0,
            "17 chin raiser": 0.8, "64 eyes down": 0.8},
    "surprise": {"1 inner brow raiser": 1.0, "2 outer brow raiser": 1.0, "5 upper lid raiser": 0.8,
                 "27 mouth stretch": 1.0},
    "neutral": {},
}
"""The strength of each action unit in the prototype of each emotion."""

MOVEMENTS: dict[str, dict[str, float]] = {
    "1 inner brow raiser": {"brow_inner": -0.16, "brow_outer": 0.02},
    "2 outer brow raiser": {"brow_inner": -0.03, "brow_outer": -0.17, "brow_arch": 0.03},
    "4 brow lowerer": {"brow_inner": 0.13, "brow_outer": -0.01, "brow_gap": -0.06, "frown": 0.7},
    "5 upper lid raiser": {"lid_upper": 0.08},
    "6 cheek raiser": {"lid_upper": -0.02, "lid_lower": -0.07, "cheek": 0.6},
    "7 lid tightener": {"lid_upper": -0.05, "lid_lower": -0.03},
    "9 nose wrinkler": {"brow_inner": 0.05, "nose_tip": -0.04, "wrinkle": 0.9, "fold": 0.5},
    "10 upper lip raiser": {"lip_upper": 0.12, "mouth_corner": 0.06, "mouth_y": -0.03, "fold": 0.3},
    "12 lip corner puller": {"mouth_corner": -0.17, "mouth_width": 0.10, "fold": 0.5},
    "15 lip corner depressor": {"mouth_corner": 0.16, "mouth_width": -0.02},
    "17 chin raiser": {"mouth_y": -0.04, "chin_crease": 0.6},
    "20 lip stretcher": {"mouth_width": 0.10, "mouth_corner": 0.05},
    "24 lip pressor": {"lip": -0.05, "mouth_width": -0.04, "chin_crease": 0.3},
    "25 lips part": {"lip_lower": 0.11, "lip_upper": 0.02},
    "27 mouth stretch": {"lip_upper": 0.13, "lip_lower": 0.18, "mouth_width": -0.12, "jaw": 0.10},
    "64 eyes down": {"gaze_y": 0.05, "lid_upper": -0.03},
}
"""How far each action unit, at full strength, moves the measures of the face."""

RANGES: dict[str, tuple[float, float]] = {
    # The face at rest: where its features lie, how large they are, how deep its lines.
    "brow_inner": (-0.40, -0.34), "brow_outer": (-0.41, -0.35), "brow_arch": (0.03, 0.07),
    "brow_gap": (0.15, 0.19), "brow_width": (0.035, 0.065), "frown": (0.0, 0.0),
    "eye_x": (0.34, 0.38), "eye_y": (-0.12, -0.08), "eye_width": (0.17, 0.20),
    "lid_upper": (0.10, 0.12), "lid_lower": (0.07, 0.09), "iris": (0.075, 0.09),
    "gaze_x": (-0.06, 0.06), "gaze_y": (-0.03, 0.01), "cheek": (0.0, 0.0),
    "nose_tip": (0.22, 0.28), "nose_width": (0.10, 0.15), "wrinkle": (0.0, 0.0),
    "fold": (0.0, 0.2), "chin_crease": (0.0, 0.1), "jaw": (0.98, 1.06),
    "mouth_y": (0.53, 0.58), "mouth_width": (0.27, 0.32), "mouth_corner": (-0.03, 0.0),
    "lip": (0.06, 0.09), "lip_upper": (0.01, 0.02), "lip_lower": (0.01, 0.02),
    "teeth": (0.03, 0.09),
    # The person. Hair shorter than the head is none; a beard of 0 or less is none.
    "head_width": (0.74, 0.86), "taper": (0.08, 0.26), "skin": (0.45, 0.88), "hair": (0.03, 0.5),
    "hair_height": (0.95, 1.2), "hair_width": (0.0, 0.15), "hair_end": (-0.4, 0.9),
    "hairline": (-1.1, -0.52), "parting": (-0.4, 0.4), "beard": (-1.2, 0.4), "clothes": (0.1, 0.9),
    # Pose: pixels, pixels a unit of length, radians.
    "shift_x": (-1.8, 1.8), "shift_y": (-1.8, 1.8), "scale": (18.5, 22.5), "roll": (-0.15, 0.15),
    "shear": (-0.08, 0.08), "turn": (-0.3, 0.3), "nod": (-0.08, 0.08),
    # Things in the way; glasses, a hat, a hand and a rail are there where above 0.
    "glasses": (-0.85, 0.15), "frame": (0.0, 0.4),
    "hat": (-0.88, 0.12), "brim": (-0.8, -0.66), "felt": (0.1, 0.9),
    "hand": (-0.75, 0.25), "hand_side": (-1.0, 1.0), "hand_x": (0.4, 0.8),
    "hand_y": (-0.6, 0.9), "hand_slope": (-0.6, 0.6),
    "rail": (-0.8, 0.2), "rail_angle": (0.0, np.pi), "rail_shift": (-1.0, 1.0),
    "rail_width": (0.03, 0.07), "rail_grey": (0.0, 1.0),
    # Light: grey levels, grey levels a unit of length, and the deviation of the noise.
    "backdrop": (0.1, 0.9), "pattern": (0.0, 0.12), "wave_x": (-3.0, 3.0), "wave_y": (-3.0, 3.0),
    "wave_phase": (0.0, 2 * np.pi), "light_x": (-0.3, 0.3), "light_y": (-0.25, 0.15),
    "contrast": (0.7, 1.1), "brightness": (-0.08, 0.08), "noise": (0.005, 0.035),
}
"""Lowest and highest value of each measure before the action units move it."""

_STRENGTHS = np.array([[EXPRESSIONS[emotion].get(unit, 0.0) for unit in MOVEMENTS]
                       for emotion in EMOTIONS])
_DISPLACEMENTS = np.array([[MOVEMENTS[unit].get(measure, 0.0) for measure in RANGES]
                           for unit in MOVEMENTS])
_CHUNK = 32  # faces painted at a time, so that the pictures at work stay in the cache


def load(*, train: int = 4200, validation: int = 700, test: int = 700, seed: int = 0) -> Dataset:
    """A data set of drawn faces, the same for the same seed.

    Every class has an equal share of every split (one face more or less where seven does not
    divide the size). Each split is drawn from a generator of its own, so that the size of one
    does not change the faces of another.

    Parameters
    ----------
    train, validation, test : int
        Number of faces in each split, at least 1; 4200, 700 and 700 by default.
    seed : int, default 0
        What the faces are drawn from, at least 0.

    Returns
    -------
    Dataset
        Named ``"drawn faces"``, in random order.

    Raises
    ------
    TypeError
        For a size or seed that is no integer.
    ValueError
        For a size below 1 or a seed below 0.
    """
    for name, value, least in (("train", train, 1), ("validation", validation, 1),
                               ("test", test, 1), ("seed", seed, 0)):
        integer("drawn_faces.load", name, value, least)
    generators = np.random.default_rng(seed).spawn(3)
    return Dataset(
        "drawn faces",
        train=_split(train, generators[0]),
        validation=_split(validation, generators[1]),
        test=_split(test, generators[2]),
    )


def draw(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One drawn face a label, no two alike.

    Parameters
    ----------
    labels : array_like of int (N,)
        The expressions, indices into `EMOTIONS`.
    rng : numpy.random.Generator
        Where person, pose, light and noise come from.

    Returns
    -------
    ndarray, uint8 (N, 48, 48)
        Grey levels, 0 black to 255 white.

    Raises
    ------
    ValueError
        For labels that are not a vector of integers in ``[0, 7)``.
    """
    labels = np.asarray(labels)
    if labels.ndim != 1 or labels.dtype.kind not in "iu" or not np.isin(labels, range(7)).all():
        raise ValueError(f"draw: labels must be a vector of integers in [0, 7), got {labels!r}")
    faces = _sample(labels, rng)
    images = np.empty((len(labels), IMAGE_SIZE, IMAGE_SIZE), np.uint8)
    for start in range(0, len(labels), _CHUNK):
        chunk = slice(start, start + _CHUNK)
        images[chunk] = _render(faces[chunk], rng)  # type: ignore[arg-type]
    return images


def _split(size: int, rng: np.random.Generator) -> Split:
    labels = rng.permutation(np.arange(size) % len(EMOTIONS))
    return Split(draw(labels, rng), labels)


def _sample(labels: np.ndarray, rng: np.random.Generator) -> np.recarray:
    """The measures of one face a label: a column each of `RANGES`, float32 (N, 1, 1)."""
    count = len(labels)
    low, high = np.array(list(RANGES.values())).T
    measures = rng.uniform(low, high, (count, len(RANGES)))
    intensity = rng.uniform(0.8, 1.15, (count, 1))               # how strongly this face shows it,
    control = rng.uniform(0.8, 1.2, (count, len(MOVEMENTS)))     # and with which muscles most
    measures += (_STRENGTHS[labels] * intensity * control) @ _DISPLACEMENTS
    columns = measures.T.astype(np.float32)[:, :, np.newaxis, np.newaxis]
    return np.rec.fromarrays(list(columns), dtype=[(name, np.float32) for name in RANGES])


@dataclass(frozen=True)
class _Canvas:
    """The pictures in the making and where their pixels lie; every field but one (N, 48, 48).

    Parameters
    ----------
    image : ndarray
        Grey levels, painted over in place.
    x, y : ndarray
        Where the pixel lies on the head as the camera sees it.
    u, v : ndarray
        Where it lies on the face, with the head's turn and nod undone.
    side : ndarray
        ``|u|``: features that come in pairs are painted once, on the face folded at its midline.
    edge : ndarray (N, 1, 1)
        How wide the soft edge of a shape is: about a pixel.
    """

    image: np.ndarray
    x: np.ndarray
    y: np.ndarray
    u: np.ndarray
    v: np.ndarray
    side: np.ndarray
    edge: np.ndarray

    def paint(self, distance: np.ndarray, grey: np.ndarray | float,
              opacity: np.ndarray | float = 1.0) -> np.ndarray:
        """Paint the shape whose edge is this far away (inside: negative).

        Returns its coverage, 0 to 1, which is the opacity of shapes that lie within it.
        """
        coverage = np.clip(0.5 - distance / self.edge, 0, 1) * opacity
        self.image[...] += coverage * (grey - self.image)
        return coverage


def _ellipse(x: np.ndarray, y: np.ndarray, width: np.ndarray | float,
             height: np.ndarray | float) -> np.ndarray:
    """About the distance to an ellipse with these half axes around the origin."""
    return (np.sqrt((x / width) ** 2 + (y / height) ** 2) - 1) * np.minimum(width, height)


def _bar(along: np.ndarray, across: np.ndarray, length: np.ndarray | float,
         width: np.ndarray | float) -> np.ndarray:
    """The distance to a bar of this half length and half width around the origin.

    Measuring `across` from a curve bends the bar along it.
    """
    return np.maximum(np.abs(across) - width, np.abs(along) - length)


def _render(face: np.recarray, rng: np.random.Generator) -> np.ndarray:
    """Measures to pictures, uint8 (N, 48, 48); `rng` gives the noise."""
    canvas = _prepare(face)
    _paint_body(canvas, face)
    _paint_head(canvas, face)
    _paint_lines(canvas, face)
    _paint_mouth(canvas, face)
    _paint_eyes(canvas, face)
    _paint_things(canvas, face)
    light = 1 + face.light_x * canvas.x + face.light_y * canvas.y
    image = ((canvas.image - 0.5) * face.contrast + 0.5 + face.brightness) * light
    image += face.noise * rng.standard_normal(image.shape, np.float32)
    return (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)


def _prepare(face: np.recarray) -> _Canvas:
    """The background, and the places of the pixels for this pose."""
    pixels = np.arange(IMAGE_SIZE, dtype=np.float32) - (IMAGE_SIZE - 1) / 2
    right = (pixels - face.shift_x) / face.scale
    down = (pixels[:, np.newaxis] - face.shift_y) / face.scale
    x = np.cos(face.roll) * right + np.sin(face.roll) * down
    y = np.cos(face.roll) * down - np.sin(face.roll) * right
    x += face.shear * y
    # A head is a cylinder, and turning it moves a point of its surface from u to x.
    depth = np.sqrt(np.maximum(face.head_width**2 - x**2, 0))
    u = np.cos(face.turn) * x - np.sin(face.turn) * depth
    wave = np.sin(face.wave_x * x + face.wave_y * y + face.wave_phase)
    backdrop = face.backdrop + face.pattern * wave
    return _Canvas(backdrop, x, y, u, y - face.nod, np.abs(u), 1.2 / face.scale)


def _paint_body(canvas: _Canvas, face: np.recarray) -> None:
    """Hair falling behind the head, shoulders and neck."""
    x, y = canvas.x, canvas.y
    hair = _ellipse(x, np.minimum(y, 0), face.head_width + face.hair_width, face.hair_height)
    canvas.paint(np.maximum(hair, y - face.hair_end), face.hair)
    canvas.paint(_ellipse(x, y - 1.75, 1.15, 0.65), face.clothes)
    canvas.paint(_bar(y - 0.9, x, 0.35, 0.36), face.skin * 0.75)


def _paint_head(canvas: _Canvas, face: np.recarray) -> None:
    """Ears, the head narrowing towards its chin, beard and hair upon it."""
    x, y, u, v = canvas.x, canvas.y, canvas.u, canvas.v
    canvas.paint(_ellipse(np.abs(x) - face.head_width, y - 0.02, 0.1, 0.17), face.skin * 0.85)
    below = np.maximum(y, 0) / face.jaw
    outline = _ellipse(x / (1 - face.taper * below), np.minimum(y, 0) + below, face.head_width, 1.0)
    bend = (1 + outline) ** 2                             # 0 in the middle, 1 where the head ends
    head = canvas.paint(outline, face.skin * (1 - 0.2 * bend**2))
    beard = 0.3 * (0.35 - v - 0.4 * u**2)
    canvas.paint(beard, face.hair, head * np.clip(2 * face.beard, 0, 0.6))
    fringe = v - face.hairline - 0.5 * (u - face.parting) ** 2
    canvas.paint(np.maximum(fringe, outline - 0.06), face.hair)


def _paint_lines(canvas: _Canvas, face: np.recarray) -> None:
    """The nose, and the lines that action units draw into the skin."""
    side, v, ink = canvas.side, canvas.v, face.skin * 0.45
    nostrils = v - face.nose_tip + 0.35 * side**2 / face.nose_width
    canvas.paint(_bar(side, nostrils, face.nose_width, 0.025), ink, 0.6)
    canvas.paint(_bar(v - 0.05, canvas.u - 0.06, 0.15, 0.02), ink, 0.25)
    canvas.paint(_bar(v + 0.33, side - 0.05, 0.08, 0.015), ink, 0.7 * face.frown)
    wrinkles = np.abs(v + 0.06 - 0.35 * side) - 0.05
    canvas.paint(_bar(side, wrinkles, 0.12, 0.015), ink, face.wrinkle)
    below_eye = side - face.eye_x
    crease = v - face.eye_y - 0.18 + 1.5 * below_eye**2
    canvas.paint(_bar(below_eye, crease, 0.17, 0.015), ink, face.cheek)
    down = v - face.nose_tip
    fold = side - face.nose_width - 0.05 - (face.mouth_width - face.nose_width + 0.03) * down / 0.3
    canvas.paint(_bar(down - 0.15, 0.8 * fold, 0.13, 0.015), ink, 0.7 * face.fold)
    chin = v - face.mouth_y - 0.2 - 0.6 * side**2
    canvas.paint(_bar(side, chin, 0.14, 0.015), ink, 0.7 * face.chin_crease)


def _paint_mouth(canvas: _Canvas, face: np.recarray) -> None:
    """Lips around an opening, whose upper part shows teeth; closed, it is a dark line."""
    along = (canvas.side / face.mouth_width) ** 2
    height = canvas.v - face.mouth_y - face.mouth_corner * along
    taper = 1 - along**2                                       # 1 in the middle, 0 at the corners
    lip = np.maximum(face.lip, 0.02)
    above = -height - np.maximum(face.lip_upper, 0.01) * taper
    below = height - np.maximum(face.lip_lower, 0.01) * taper
    canvas.paint(np.maximum(above - 0.8 * lip * taper, below - lip * taper), face.skin * 0.7)
    opening = canvas.paint(np.maximum(above, below), 0.04)
    canvas.paint(np.maximum(-face.teeth - 0.02 - above, above + 0.02), 0.95, opening)


def _paint_eyes(canvas: _Canvas, face: np.recarray) -> None:
    """Eyes between two lids, each lid a parabola, and the brows above them."""
    x, y = canvas.side - face.eye_x, canvas.v - face.eye_y
    taper = 1 - (x / face.eye_width) ** 2
    upper = y + np.maximum(face.lid_upper, 0.02) * taper
    lower = y - np.maximum(face.lid_lower, 0.015) * taper
    eye = canvas.paint(np.maximum(-upper, lower), 0.3 + 0.7 * face.skin)
    iris_x = x - face.gaze_x * np.sign(canvas.u)                     # both eyes look the same way
    iris_y = y - face.gaze_y
    canvas.paint(_ellipse(iris_x, iris_y, face.iris, face.iris), 0.05, eye)
    canvas.paint(_bar(x, upper, face.eye_width, 0.025), 0.08)

    along = (canvas.side - face.brow_gap) / 0.4
    arch = 4 * face.brow_arch * along * (1 - along)
    line = face.brow_inner + (face.brow_outer - face.brow_inner) * along - arch
    brow = _bar(0.4 * (along - 0.5), canvas.v - line, 0.2, face.brow_width * (1 - 0.4 * along))
    canvas.paint(brow, face.hair * 0.7)


def _paint_things(canvas: _Canvas, face: np.recarray) -> None:
    """What is in the way: glasses, a hat, a hand on one side, a rail across the picture.

    A hand leaves the other half of the face free, and a rail is thin: the expression stays visible.
    """
    x, y, side, v = canvas.x, canvas.y, canvas.side, canvas.v
    ring = np.abs(_ellipse(side - face.eye_x, v - face.eye_y, 0.25, 0.22)) - 0.02
    bridge = _bar(side, v - face.eye_y + 0.03, face.eye_x - 0.25, 0.02)
    canvas.paint(np.minimum(ring, bridge), face.frame, face.glasses > 0)

    crown = _ellipse(x, y + 0.6, face.head_width, 0.62)
    hat = np.minimum(np.maximum(crown, y - face.brim), _bar(x, y - face.brim, 1.05, 0.05))
    canvas.paint(hat, face.felt, face.hat > 0)

    away = x * np.sign(face.hand_side) - face.hand_x
    across = y - face.hand_y + face.hand_slope * away
    hand = np.sqrt(np.minimum(away, 0) ** 2 + across**2) - 0.27
    canvas.paint(hand - 0.03, face.skin * 0.45, face.hand > 0)
    fist = canvas.paint(hand, face.skin * 0.9, face.hand > 0)
    canvas.paint(_bar(away, np.abs(across) - 0.1, 0.2, 0.015), face.skin * 0.45, fist)

    offset = np.cos(face.rail_angle) * x + np.sin(face.rail_angle) * y - face.rail_shift
    canvas.paint(np.abs(offset) - face.rail_width, face.rail_grey, face.rail > 0)
