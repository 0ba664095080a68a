"""Where faces are in a photo, by a detector that is played and by OpenCV's if it is there."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import matplotlib.cbook
import numpy as np
import pytest
from PIL import Image, ImageOps
from played_detector import absent, photo, playing

from minicnn.data import drawn_faces
from minicnn.errors import InputError
from minicnn.inference import Face, faces, find_faces
from minicnn.inference.faces import MARGIN, detector_available, is_crop

installed = pytest.mark.skipif(not detector_available(), reason="needs the extra faces")


def grown(left, top, side):
    """A found square with its margin, to within a pixel."""
    more = side * (MARGIN - 1) / 2
    return pytest.approx((left - more, top - more, side * MARGIN), abs=1)


def where(face):
    return face.left, face.top, face.size


@pytest.mark.parametrize(("size", "square"), [
    ((401, 300), (50, 60, 71)), ((300, 401), (1, 1, 90)), ((300, 301), (228, 229, 70)),
    ((120, 90), (31, 20, 33)), ((90, 90), (1, 1, 88)),
])
def test_a_box_is_where_the_face_is(size, square):
    with playing():
        (face,) = find_faces(np.asarray(photo(*size, square)))
    assert where(face) == grown(*square)


@pytest.mark.parametrize("factor", [2, 3, 5])
def test_boxes_of_a_large_picture_are_in_its_own_pixels(factor):
    square = tuple(factor * edge for edge in (450, 100, 301))
    with playing():
        (face,) = find_faces(np.asarray(photo(1200 * factor, 800 * factor, square)))
    more = square[2] * (MARGIN - 1) / 2
    expected = (square[0] - more, square[1] - more, square[2] * MARGIN)
    assert where(face) == pytest.approx(expected, abs=2 * factor)


def test_faces_are_told_from_left_to_right():
    squares = [(500, 40, 50), (20, 300, 90), (260, 10, 70)]
    with playing():
        found = find_faces(np.asarray(photo(640, 480, *squares)))
    assert [where(face) for face in found] == [grown(*square) for square in sorted(squares)]


def test_no_face_and_one_that_is_too_small():
    with playing():
        assert find_faces(np.asarray(photo(200, 100))) == ()
        assert find_faces(np.asarray(photo(200, 100, (40, 40, 20)))) == ()
        assert len(find_faces(np.asarray(photo(200, 100, (40, 40, 24))))) == 1
        assert find_faces(np.asarray(photo(1280, 100, (40, 40, 28)))) == ()


def test_grey_levels_and_colours_and_files(tmp_path):
    image = photo(200, 100, (40, 30, 50))
    image.save(tmp_path / "a.png")
    with playing():
        expected = find_faces(np.asarray(image))
        assert find_faces(np.asarray(image)[..., 0]) == expected
        assert find_faces(tmp_path / "a.png") == find_faces(str(tmp_path / "a.png")) == expected


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_turned_upright_first(orientation, tmp_path):
    upright = photo(200, 120, (130, 30, 50))
    exif = Image.Exif()
    exif[274] = orientation
    undoing = {5: 5, 6: 8, 7: 7, 8: 6}.get(orientation, orientation)
    undo = Image.Exif()
    undo[274] = undoing
    upright.getexif()[274] = undoing
    ImageOps.exif_transpose(upright).save(tmp_path / "a.png", exif=exif)
    with playing():
        (face,) = find_faces(tmp_path / "a.png")
    assert where(face) == grown(130, 30, 50)


def test_a_crop_is_the_box_of_the_picture():
    levels = np.random.default_rng(0).integers(0, 256, (120, 150, 3), np.uint8)
    face = Face(left=31, top=17, size=75)
    expected = Image.fromarray(levels).crop(face.box).convert("L").resize((48, 48), 1)
    np.testing.assert_array_equal(face.crop(levels), expected)
    grey = levels[..., 0]
    np.testing.assert_array_equal(Face(2, 3, 48).crop(grey), grey[3:51, 2:50])


def test_beyond_the_edge_a_crop_repeats_the_last_pixels():
    grey = np.random.default_rng(0).integers(0, 256, (60, 50), np.uint8)
    crop = Face(-8, -5, 48).crop(grey)
    np.testing.assert_array_equal(crop[5:, 8:], grey[:43, :40])
    assert (crop[:5, 8:] == grey[0, :40]).all()
    crop = Face(30, 40, 48).crop(grey)
    np.testing.assert_array_equal(crop[:20, :20], grey[40:, 30:])
    assert (crop[20:, :20] == grey[-1, 30:]).all()


@pytest.mark.parametrize(("size", "is_one"), [
    ((48, 48), True), ((64, 64), True), ((64, 48), True), ((48, 64), True), ((65, 65), False),
    ((64, 47), False), ((20, 20), True), ((1, 1), True), ((48, 20), False), ((224, 224), False),
])
def test_a_small_picture_that_is_about_square_is_a_crop(size, is_one):
    assert is_crop(*size) is is_one


def test_without_a_detector_the_error_says_what_to_install():
    with absent():
        assert not detector_available()
        with pytest.raises(InputError, match='pip install "opencv-python-headless<5"'):
            find_faces(np.zeros((100, 100), np.uint8))


def test_an_opencv_that_cannot_be_imported_is_told_from_none(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    monkeypatch.setattr(faces, "_cascade_file", lambda: Path("there.xml"))
    faces._cascade.cache_clear()
    with pytest.raises(InputError, match="OpenCV is installed, but cannot be imported"):
        find_faces(np.zeros((100, 100), np.uint8))


@pytest.mark.parametrize(("picture", "error"), [
    (np.zeros((9, 9)), TypeError), (np.zeros((9, 9, 4), np.uint8), ValueError),
    (np.zeros((0, 9), np.uint8), ValueError), (np.zeros((2, 9, 9, 3), np.uint8), ValueError),
], ids=["float", "rgba", "empty", "batch"])
def test_arrays_that_are_no_picture(picture, error):
    with playing(), pytest.raises(error, match="find_faces: expected"):
        find_faces(picture)


# OpenCV's detector


@pytest.fixture
def portrait():
    """Grace Hopper, of the U.S. Navy, from Matplotlib's sample data; her face at (265, 215)."""
    with Image.open(matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)) as image:
        return image.convert("RGB")


CHANGES = {
    "as it is": lambda image: image,
    "half as large": lambda image: image.resize((256, 300)),
    "eight times as large": lambda image: image.resize((4096, 4800)),
    "grey": lambda image: image.convert("L"),
    "dark": lambda image: image.point(lambda level: level // 4),
    "cut close to the face": lambda image: image.crop((165, 110, 365, 330)),
}


@installed
@pytest.mark.parametrize("change", CHANGES)
def test_opencv_finds_the_face_of_a_portrait(portrait, change):
    image = CHANGES[change](portrait)
    (face,) = find_faces(np.asarray(image))
    scale = image.width / 512 if "cut" not in change else 1
    left, top = (165, 110) if "cut" in change else (0, 0)
    centre = face.left + face.size / 2, face.top + face.size / 2
    assert centre == pytest.approx((scale * (265 - left), scale * (215 - top)), abs=20 * scale)
    assert face.size == pytest.approx(230 * scale, rel=0.25)


@installed
def test_opencv_finds_both_faces_and_none(portrait):
    two = ImageOps.expand(portrait, (0, 0, 512, 0))
    two.paste(ImageOps.mirror(portrait), (512, 0))
    left, right = find_faces(np.asarray(two))
    assert left.left + left.size < 512 < right.left
    assert find_faces(np.asarray(portrait.crop((0, 0, 140, 600)))) == ()
    assert find_faces(np.asarray(portrait.rotate(180))) == ()


@installed
@pytest.mark.parametrize("shape", [(1, 3000), (3000, 1), (100, 10000), (9, 200), (70, 10)])
def test_opencv_searches_pictures_of_any_shape(shape):
    assert find_faces(np.zeros(shape, np.uint8)) == ()


@installed
def test_several_threads_search_at_once(portrait):
    picture = np.asarray(portrait)
    with ThreadPoolExecutor(4) as threads:
        assert len(set(threads.map(find_faces, [picture] * 8))) == 1


@installed
def test_opencv_finds_drawn_faces_now_and_then():
    images = drawn_faces.load(train=70, validation=7, test=7).train.images.squeeze()
    found = [find_faces(np.asarray(Image.fromarray(image).resize((192, 192)))) for image in images]
    assert sum(map(bool, found)) > 20
