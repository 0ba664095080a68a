"""Reading one picture file of any size and kind as a 48×48 grey image."""

import io

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from PIL import Image

from minicnn.data.sources import images
from minicnn.data.sources.images import read_grey
from minicnn.errors import InputError

pytestmark = pytest.mark.filterwarnings("ignore:.*there is no contrast")


@pytest.fixture
def read(tmp_path):
    """Save a picture and read it back grey."""

    def save_and_read(picture, ending="png", **options):
        path = tmp_path / f"picture.{ending}"
        picture.save(path, **options)
        grey = read_grey(path)
        assert grey.shape == (48, 48)
        assert grey.dtype == np.uint8
        assert grey.flags.writeable
        return grey

    return save_and_read


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


@pytest.mark.parametrize("ending", ["png", "bmp", "tiff", "gif", "pgm"])
def test_a_grey_48_by_48_picture_comes_out_as_stored(read, ending):
    image = noise(48, 48)
    np.testing.assert_array_equal(read(Image.fromarray(image), ending), image)


@settings(deadline=None, max_examples=30)
@given(width=st.integers(1, 150), height=st.integers(1, 150), grey=st.integers(0, 255))
def test_any_size_of_one_grey_stays_that_grey(tmp_path_factory, width, height, grey):
    path = tmp_path_factory.mktemp("picture") / "a.png"
    Image.new("L", (width, height), grey).save(path)
    np.testing.assert_array_equal(read_grey(path), np.full((48, 48), grey))


def test_the_centre_is_kept_of_a_picture_that_is_not_square(read):
    image = noise(48, 48)
    wide = np.concatenate([noise(48, 20, seed=1), image, noise(48, 20, seed=2)], axis=1)
    np.testing.assert_array_equal(read(Image.fromarray(wide)), image)
    tall = np.concatenate([noise(9, 48, seed=1), image, noise(9, 48, seed=2)], axis=0)
    np.testing.assert_array_equal(read(Image.fromarray(tall)), image)


def test_a_larger_picture_is_averaged_not_sampled(read):
    rows, columns = np.indices((480, 480))
    checks = ((rows + columns) % 2 * 255).astype(np.uint8)
    assert np.abs(read(Image.fromarray(checks)).astype(int) - 127.5).max() < 2
    ramp = np.tile(np.linspace(0, 255, 480), (480, 1)).astype(np.uint8)
    means = ramp.reshape(48, 10, 48, 10).mean((1, 3))
    assert np.abs(read(Image.fromarray(ramp)) - means)[:, 2:-2].max() < 1.5


def test_colours_become_grey_by_their_luma(read):
    image = noise(48, 48, 3)
    luma = image @ np.array([0.299, 0.587, 0.114])
    assert np.abs(read(Image.fromarray(image)) - luma).max() <= 1
    assert np.abs(read(Image.fromarray(image), "jpg", quality=100, subsampling=0) - luma).max() < 6


def test_a_palette_is_looked_up(read):
    picture = Image.fromarray(noise(48, 48) // 64)
    picture.putpalette([255, 255, 255, 0, 0, 0, 255, 0, 0, 0, 0, 255])
    grey_of = np.array([255, 0, 76, 29])
    np.testing.assert_array_equal(read(picture), grey_of[noise(48, 48) // 64])


def test_black_and_white(read):
    bits = noise(48, 48) > 127
    np.testing.assert_array_equal(read(Image.fromarray(bits)), bits * 255)


def test_cmyk(read):
    picture = Image.merge("CMYK", [Image.new("L", (48, 48))] * 3 + [Image.fromarray(noise(48, 48))])
    np.testing.assert_array_equal(read(picture, "tiff"), 255 - noise(48, 48))
    grey = read(Image.new("CMYK", (48, 48), (0, 0, 0, 200)), "jpg")
    assert np.abs(grey.astype(int) - 55).max() <= 2


def test_transparency_shows_white(read):
    image, alpha = noise(48, 48), noise(48, 48, seed=1)
    on_white = image * (alpha / 255) + 255 * (1 - alpha / 255)
    clear = Image.fromarray(np.stack([image, alpha], axis=2), "LA")
    assert np.abs(read(clear) - on_white).max() <= 1
    assert (
        np.abs(read(clear.convert("RGBA"), "webp", lossless=True, exact=True) - on_white).max() <= 1
    )

    palette = Image.fromarray(image // 128)
    palette.putpalette([10, 10, 10, 20, 20, 20])
    np.testing.assert_array_equal(
        read(palette, transparency=0), np.where(image // 128 == 0, 255, 20)
    )
    np.testing.assert_array_equal(
        read(Image.fromarray(image), transparency=7), np.where(image == 7, 255, image)
    )


@pytest.mark.parametrize(
    ("orientation", "upright"),
    [
        (1, lambda stored: stored),
        (2, np.fliplr),
        (3, lambda stored: np.rot90(stored, 2)),
        (4, np.flipud),
        (5, np.transpose),
        (6, lambda stored: np.rot90(stored, -1)),
        (7, lambda stored: np.rot90(stored, 2).T),
        (8, np.rot90),
    ],
)
def test_exif_orientation_is_undone(read, orientation, upright):
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(noise(48, 48))
    np.testing.assert_array_equal(read(stored, exif=exif), upright(noise(48, 48)))


@pytest.mark.parametrize("ending", ["gif", "png", "webp", "tiff"])
def test_the_first_frame_of_an_animation(read, ending):
    frames = [Image.fromarray(noise(48, 48, seed=seed)) for seed in range(3)]
    options = {"lossless": True} if ending == "webp" else {}
    grey = read(frames[0], ending, save_all=True, append_images=frames[1:], **options)
    assert np.abs(grey.astype(int) - noise(48, 48)).max() <= 1


# What is refused


def test_no_such_file_and_a_folder(tmp_path):
    with pytest.raises(InputError, match="nowhere: expected a picture, but there is no such file"):
        read_grey(tmp_path / "nowhere")
    with pytest.raises(InputError, match="expected a picture, got a folder"):
        read_grey(tmp_path)


@pytest.mark.parametrize("content", [b"", b"emotion,pixels,Usage\n", bytes(100)])
def test_a_file_that_is_no_picture(tmp_path, content):
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.jpg: expected a picture, got a file of no format"):
        read_grey(tmp_path / "a.jpg")


@pytest.mark.parametrize("ending", ["png", "jpeg", "gif", "bmp", "tiff", "webp"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_truncated_picture(tmp_path, ending, share):
    content = io.BytesIO()
    Image.fromarray(noise(60, 60, 3)).save(content, ending)
    path = tmp_path / f"a.{ending}"
    path.write_bytes(content.getvalue()[: int(share * len(content.getvalue()))])
    with pytest.raises(InputError, match=r"a\.\w+: expected a (whole )?picture") as caught:
        read_grey(path)
    assert "\n" not in str(caught.value)


def test_a_picture_too_large_to_be_meant(tmp_path, monkeypatch):
    Image.new("1", (300, 300)).save(tmp_path / "a.png")
    monkeypatch.setattr(images, "MOST_PIXELS", 300 * 300)
    assert read_grey(tmp_path / "a.png").max() == 0
    monkeypatch.setattr(images, "MOST_PIXELS", 300 * 300 - 1)
    with pytest.raises(InputError, match=r"a\.png: expected at most 89,999 pixels, got more"):
        read_grey(tmp_path / "a.png")


def test_want_of_memory_is_no_damage(read, monkeypatch):
    def refuse(picture):
        raise MemoryError

    monkeypatch.setattr(images, "_on_white", refuse)
    with pytest.raises(MemoryError):
        read(Image.fromarray(noise(48, 48)))
