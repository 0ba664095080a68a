"""A small grey picture as characters: with colours, and without."""

import io

import numpy as np
import pytest
from rich.console import Console

from minicnn import terminal

LEVELS = np.random.default_rng(0).integers(0, 256, (6, 5), np.uint8)


def shown(levels, encoding="utf-8", **options):
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    Console(file=stream, width=80, force_jupyter=False, **options).print(
        terminal.GreyPicture(levels))
    stream.flush()
    return stream.buffer.getvalue().decode(encoding).splitlines()


def test_with_colours_each_half_of_a_character_has_its_level():
    lines = shown(LEVELS, force_terminal=True, color_system="truecolor")
    assert len(lines) == 3
    for line, above, below in zip(lines, LEVELS[::2], LEVELS[1::2], strict=True):
        for upper, lower in zip(above, below, strict=True):
            assert f"\x1b[38;2;{upper};{upper};{upper};48;2;{lower};{lower};{lower}m▀" in line


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_elsewhere_brighter_levels_have_denser_characters(encoding):
    levels = np.repeat(np.arange(10, 200, 19, dtype=np.uint8)[np.newaxis], 4, axis=0)
    assert shown(levels, encoding) == [" .:-=+*#%@"] * 2
    assert shown(np.full((2, 3), 77, np.uint8), encoding) == ["   "]


def test_an_encoding_without_half_blocks_gets_plain_characters():
    (line,) = shown(LEVELS[:2], "cp1252", force_terminal=True, color_system="truecolor")
    assert line.isascii()
