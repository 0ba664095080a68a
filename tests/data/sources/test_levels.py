"""Pictures of more than 8 bits: which level is white, and what is said of it."""

import io
import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from minicnn.data import fer2013
from minicnn.data.sources.image_folder import find_pictures, read_pictures
from minicnn.data.sources.images import read_grey
from minicnn.errors import InputError, PictureWarning

BANDS = {0: 1, 2: 3, 4: 2, 6: 4}
"""Of each colour type of PNG."""


def noise(*shape, top=255, seed=0):
    """Random levels, the first of which are 0 and `top`."""
    levels = np.random.default_rng(seed).integers(0, top + 1, shape)
    levels.flat[:2] = 0, top
    return levels


def png(levels, colour_type=0, sbit=(), trns=()):
    """A PNG of 16 bits a level, which Pillow writes only of grey."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(
            ">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in levels)
    height, width = levels.shape[:2]
    return b"".join((
        b"\x89PNG\r\n\x1a\n",
        chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)),
        chunk(b"sBIT", bytes(sbit)) if sbit else b"",
        chunk(b"tRNS", struct.pack(f">{len(trns)}H", *trns)) if trns else b"",
        chunk(b"IDAT", zlib.compress(rows)),
        chunk(b"IEND", b""),
    ))


def tiff(levels, bits=16, sample_format=1, photometric=1, most=None, order="<"):
    """A TIFF of one strip, whose tags may say more than those that Pillow writes."""
    data = levels.astype(f"{order}{'_uif'[sample_format]}{bits // 8}").tobytes()
    height, width = levels.shape[:2]
    samples = levels.shape[2] if levels.ndim == 3 else 1
    tags = {
        256: width, 257: height, 258: bits, 259: 1, 262: photometric, 273: 8, 277: samples,
        278: height, 279: len(data), 339: sample_format,
    } | ({} if most is None else {281: most})
    entries = b"".join(
        struct.pack(f"{order}HHIH2x", tag, 3, 1, value) if value < 2**16
        else struct.pack(f"{order}HHII", tag, 4, 1, value)
        for tag, value in sorted(tags.items())
    )
    magic = b"II*\0" if order == "<" else b"MM\0*"
    return (magic + struct.pack(f"{order}I", 8 + len(data)) + data
            + struct.pack(f"{order}H", len(tags)) + entries + bytes(4))


@pytest.fixture
def read(tmp_path):
    """The grey levels of a file with this content, and what was warned of."""

    def read_content(content):
        if isinstance(content, Image.Image):
            stream = io.BytesIO()
            content.save(stream, "tiff")
            content = stream.getvalue()
        (tmp_path / "a").write_bytes(content)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            grey = read_grey(tmp_path / "a")
        assert all(warning.category is PictureWarning for warning in caught)
        return grey, [str(warning.message) for warning in caught]

    return read_content


def pgm(levels, maxval):
    return b"P5 48 48 %d\n" % maxval + levels.astype(">u2").tobytes()


def ppm(levels, maxval):
    return b"P6 48 48 %d\n" % maxval + levels.astype(">u2").tobytes()


SIXTEEN = {
    "png": png,
    "tiff": tiff,
    "tiff of the other byte order": lambda levels: tiff(levels, order=">"),
    "tiff of 32 bits": lambda levels: tiff(levels, bits=32),
    "signed tiff of 32 bits": lambda levels: tiff(levels, bits=32, sample_format=2),
    "floating-point tiff": lambda levels: tiff(levels, bits=32, sample_format=3),
    "pgm": lambda levels: pgm(levels, 65535),
}


@pytest.mark.parametrize("form", SIXTEEN)
@pytest.mark.parametrize(("top", "white"), [
    (255, 255), (254, 255), (256, 1023), (1023, 1023), (1024, 4095), (4095, 4095), (4096, 65535),
    (65535, 65535),
])
def test_white_is_the_end_of_the_fewest_bits(read, form, top, white):
    if form == "floating-point tiff" and top in (256, 1024, 4096):
        pytest.skip("a filter may have made 256 of 255")
    levels = noise(48, 48, top=top)
    grey, said = read(SIXTEEN[form](levels))
    assert np.abs(grey - levels * (255 / white)).max() <= 0.5
    silent = (white == 65535 and "32" not in form and "float" not in form) or (
        "float" in form and white == 255)
    assert said == [] if silent else len(said) == 1
    assert silent or f"{white:,} was taken" in said[0]


@pytest.mark.parametrize("bits", [17, 20, 31])
def test_levels_of_more_than_16_bits(read, bits):
    levels = noise(48, 48, top=2**bits - 1)
    grey, _ = read(tiff(levels, bits=32))
    assert np.abs(grey - levels * (255 / (2**bits - 1))).max() <= 0.5


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_what_a_file_declares_is_white(read, bits):
    white = 2**bits - 1
    levels = noise(48, 48, top=200)  # dark
    colours = noise(48, 48, 3, top=200)
    luma = colours @ np.array([0.299, 0.587, 0.114])
    for content in (
        png(levels, sbit=[bits]), tiff(levels, most=white), pgm(levels, white) if bits > 8 else None
    ):
        if content and not (bits == 16 and content[:2] == b"P5"):
            grey, said = read(content)
            assert np.abs(grey - levels * (255 / white)).max() <= 0.51
            assert all("contrast" in note for note in said)
    for content in (png(colours, 2, sbit=[bits] * 3), tiff(colours, most=white, photometric=2)):
        grey, said = read(content)
        assert np.abs(grey - luma * (255 / white)).max() <= 1
        assert all("contrast" in note for note in said)


def test_significant_bits_that_a_png_scaled_up_as_it_should(read):
    levels = noise(48, 48, top=1023)
    grey, said = read(png(levels * 64, sbit=[10]))
    assert np.abs(grey - levels * (64 * 255 / 65535)).max() <= 0.5
    assert said == []


@pytest.mark.parametrize("white", [255, 1023, 4095, 65535])
@pytest.mark.parametrize("form", [
    *(f"png {colour_type}" for colour_type in BANDS if colour_type), "tiff", "tiff >", "ppm",
])
def test_colours_of_sixteen_bits(read, white, form):
    kind, _, detail = form.partition(" ")
    bands = BANDS[int(detail)] if kind == "png" else 3
    levels = noise(48, 48, bands, top=white)
    if bands % 2 == 0:
        levels[..., -1] = 65535  # opaque
    if kind == "png":
        content = png(levels, int(detail))
    elif kind == "tiff":
        content = tiff(levels, photometric=2, order=detail or "<")
    else:
        content = ppm(levels, 65535)
    luma = levels[..., 0] if bands < 3 else levels[..., :3] @ np.array([0.299, 0.587, 0.114])
    grey, said = read(content)
    assert np.abs(grey - luma * (255 / white)).max() <= 1.5
    assert len(said) == (white < 65535)


def test_transparency_of_deep_pictures_shows_white(read):
    levels = noise(48, 48, 2, top=1023)
    levels[..., 1] *= 64
    alpha = (levels[..., 1] >> 8) / 255
    on_white = levels[..., 0] * (255 / 1023) * alpha + 255 * (1 - alpha)
    assert np.abs(read(png(levels, 4))[0] - on_white).max() <= 1.5
    levels = noise(48, 48, top=9)
    shown = np.where(levels == 7, 255, levels)
    np.testing.assert_array_equal(read(png(levels, trns=[7]))[0], shown)


def test_white_is_zero(read):
    levels = noise(48, 48, top=65535)
    grey, _ = read(tiff(levels, photometric=0))
    assert np.abs(grey - (255 - levels * (255 / 65535))).max() <= 0.5
    share = noise(48, 48) / 255
    grey, _ = read(tiff(share, bits=32, sample_format=3, photometric=0))
    assert np.abs(grey - (255 - share * 255)).max() <= 0.5


def test_floating_point(read):
    image = noise(48, 48)
    for levels in (image, image / 255):
        grey, said = read(Image.fromarray(levels.astype(np.float32)))
        np.testing.assert_array_equal(grey, image)
        assert said == []
    overshot = np.float32(image / 255 * 1.1 - 0.05)
    np.testing.assert_allclose(
        read(Image.fromarray(overshot))[0], overshot.clip(0, 1) * 255, atol=0.51)


@pytest.mark.parametrize("wrong", [-1, np.nan, np.inf, 1e30])
def test_floating_point_that_no_format_has(read, wrong):
    levels = np.float32(noise(48, 48) / 255)
    levels[5, 7] = wrong
    with pytest.raises(InputError, match=r"a: expected a whole picture.*(not finite|the range)"):
        read(Image.fromarray(levels))


def test_negative_levels(read):
    with pytest.raises(InputError, match="leave the range"):
        read(tiff(noise(48, 48, top=1000) - 500, sample_format=2))


def test_a_deep_picture_is_turned_upright(read):
    image = noise(48, 48).astype(np.uint16) * 257
    exif = Image.Exif()
    exif[274] = 6
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "png", exif=exif)
    np.testing.assert_array_equal(read(stream.getvalue())[0], np.rot90(image // 257, -1))


@pytest.mark.parametrize("level", [0, 100, 255])
def test_a_picture_without_contrast_is_said_to_have_none(read, level):
    _, said = read(Image.new("L", (90, 70), level))
    assert [note.partition(": ")[2][:20] for note in said] == ["there is no contrast"]


def test_a_folder_says_it_once_in_each_start(tmp_path, monkeypatch):
    monkeypatch.setenv("MINICNN_CACHE_DIR", str(tmp_path / "cache"))
    folder = tmp_path / "faces"
    for index in range(3):
        (folder / "train" / "happy").mkdir(parents=True, exist_ok=True)
        content = png(noise(48, 48, top=1000, seed=index))
        (folder / "train" / "happy" / f"{index}.png").write_bytes(content)
    splits, (note,) = read_pictures(folder, find_pictures(folder))
    assert note.endswith("1,023 was taken (the first of 3 such notes)")
    for _ in range(2):  # the second one comes from the cache
        assert note in fer2013.load(folder).notes
    assert (splits["train"].images.max((1, 2)) >= 249).all()


REFUSED = {
    "HEIC": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    "HEIF": b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic",
    "SVG": b'<?xml version="1.0"?>\n<!-- a --><svg xmlns="http://www.w3.org/2000/svg"/>',
    "PDF": b"%PDF-1.7\n",
    "JPEG XL": b"\xff\x0a1234",
    "TIFF": tiff(noise(48, 48), bits=64, sample_format=3),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_other_pictures_are_refused_with_the_way_on(read, kind):
    with pytest.raises(InputError, match=rf"a: expected a picture, got (a )?{kind}.*: save it as "
                       "JPEG or PNG"):
        read(REFUSED[kind])
