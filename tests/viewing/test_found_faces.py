"""A photo with boxes and words: where they are, how large, and that they do not hide each other."""

import numpy as np
import pytest
from PIL import Image

from minicnn.inference import Face
from minicnn.viewing.found_faces import LEAST_SIDE, draw_faces

YELLOW = (255, 212, 0)


def yellow(picture):
    return (np.asarray(picture) == YELLOW).all(2)


def drawn(size, *faces):
    return draw_faces(Image.new("L", size, 30), faces, ["surprise 100%"] * len(faces))


@pytest.mark.parametrize(("size", "factor"), [
    ((48, 48), 14), ((320, 200), 2), ((639, 100), 2), ((640, 100), 1), ((6000, 4000), 1),
])
def test_a_small_picture_is_enlarged_by_a_whole_number(size, factor):
    picture = drawn(size)
    assert picture.size == (factor * size[0], factor * size[1])
    assert picture.mode == "RGB"
    assert max(picture.size) >= LEAST_SIDE
    assert (np.asarray(picture) == 30).all()


@pytest.mark.parametrize("width", [100, 1000, 6000])
@pytest.mark.parametrize("place", ["left top", "right top", "left bottom", "right bottom", "whole"])
def test_words_stand_in_the_picture_and_can_be_read(width, place):
    height, side = width * 2 // 3, width // 4
    left = width - side if "right" in place else 0
    top = height - side if "bottom" in place else 0
    face = Face(0, 0, height) if place == "whole" else Face(left, top, side)
    picture = drawn((width, height), face)
    words = yellow(picture)
    factor = picture.width // width
    box = [factor * edge for edge in face.box]
    lines = words.sum(1).max()
    assert lines >= box[2] - box[0]
    black = (np.asarray(picture) == 0).all(2)  # the letters
    rows, columns = np.nonzero(black)
    assert np.ptp(rows) > picture.width / 120
    assert np.ptp(columns) > 5 * np.ptp(rows)
    assert rows.min() > 0
    assert columns.min() > 0
    assert rows.max() < picture.height - 1
    assert columns.max() < picture.width - 1


def test_words_do_not_hide_each_other():
    faces = [Face(100 + 60 * index, 300, 60) for index in range(3)]
    one = (np.asarray(drawn((1000, 600), faces[0])) == 0).all(2).sum()
    three = (np.asarray(drawn((1000, 600), *faces)) == 0).all(2).sum()
    assert three == 3 * one


def test_a_box_beyond_the_edge():
    words = yellow(drawn((700, 500), Face(-20, 100, 90), Face(650, 440, 90)))
    assert words[100:190, 69].all()
    assert words[440:500, 650].all()
