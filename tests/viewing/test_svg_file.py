"""SVG files: equal for equal figures, and with other colours where the reader prefers dark."""

import re
from importlib.resources import files
from xml.etree import ElementTree

import pytest
from matplotlib.figure import Figure

from minicnn import InputError
from minicnn.viewing.charts import COLOURS, GRID, INK, QUIET
from minicnn.viewing.svg_file import DARK, save_svg, svg_of, with_dark_colours


def figure():
    drawn = Figure(figsize=(2, 1), facecolor="white")
    axes = drawn.subplots()
    axes.plot([1, 2, 3], color=COLOURS[1])
    axes.text(0, 1, "two  blanks & <b>", color=QUIET)
    return drawn


def test_equal_figures_are_equal_files(tmp_path):
    path = save_svg(figure(), tmp_path / "line.svg")
    assert path.read_text(encoding="utf-8") == svg_of(figure(), "line")
    assert svg_of(figure(), "line") != svg_of(figure(), "other")
    with pytest.raises(InputError):
        save_svg(figure(), tmp_path / "missing" / "line.svg")


@pytest.mark.parametrize(("enlarged", "width"), [(1.0, "144"), (4 / 3, "192")])
def test_a_point_is_so_many_pixels(enlarged, width):
    root = ElementTree.fromstring(svg_of(figure(), "line", enlarged=enlarged))
    assert root.get("width") == width and root.get("viewBox") == "0 0 144 72"
    assert "two  blanks & <b>" in "".join(root.itertext())


def test_each_colour_has_one_for_dark_pages():
    text = svg_of(figure(), "line")
    rules = dict(re.findall(r'\[style\*="((?:fill|stroke): #\w+)"\] \{ (.+?) !important', text))
    used = set(re.findall(r'(?<=[" ])(?:fill|stroke): #\w{6}', text.partition("<style>@media")[0]))
    assert len(used) > 3
    assert used - {"stroke: #000000"} <= set(rules)  # of tick marks, which have no length
    assert rules["stroke: " + COLOURS[1].lower()] == "stroke: " + DARK[COLOURS[1]]
    assert with_dark_colours(text) == text


def test_dark_colours_are_those_of_reports():
    style = files("minicnn.viewing").joinpath("templates/style.css").read_text(encoding="utf-8")
    dark = style.partition("prefers-color-scheme: dark")[2]
    for number, colour in enumerate(COLOURS, start=1):
        assert f"--line-{number}: {DARK[colour]};" in dark
    for name, colour in (("ink", INK), ("quiet", QUIET), ("rule", GRID)):
        assert f"--{name}: {DARK[colour]};" in dark
