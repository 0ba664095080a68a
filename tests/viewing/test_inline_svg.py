"""Charts inside a page: text is text, in the page's font and colours, and nothing lies on it."""

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from minicnn.viewing import Curve, draw_confusion, draw_curves
from minicnn.viewing.charts import COLOURS, TEXT, chart, label_ends, spread
from minicnn.viewing.inline_svg import THEME, inline_svg

STYLE = "minicnn/viewing/templates/style.css"


def drawn(curves, name="loss", **options):
    return ElementTree.fromstring(inline_svg(name, draw_curves(curves, **options), 'A "<loss>".'))


def curve(values, **options):
    return Curve(np.arange(1, len(values) + 1), np.array(values, float), COLOURS[0], **options)


def texts(svg):
    return {element.text: element for element in svg.iter("text")}


def test_text_is_text_of_one_size_in_the_font_of_the_page():
    svg = drawn([curve([3, 2, 1], label="a <b> & $c_d$"), curve([1, 2, 3], end="end")],
                best_epoch=3, percent=True)
    assert {"a <b> & $c_d$", "end", "epoch", "best epoch", "1", "2", "3"} <= set(texts(svg))
    for element in svg.iter("text"):
        assert f"font-size: {TEXT}px" in element.get("style")
        assert "font-family" not in element.get("style")


def test_it_stands_for_itself_and_says_what_it_shows():
    svg = drawn([curve([1, 2])])
    assert (svg.get("role"), svg.get("aria-label")) == ("img", 'A "<loss>".')
    assert {element.tag for element in svg.iter()} <= {"svg", "g", "defs", "path", "use", "text"}
    source = ElementTree.tostring(svg, "unicode")
    for foreign in ("http", "url(", "xlink", "metadata", "DejaVu"):
        assert foreign not in source


def test_colours_are_those_of_the_theme():
    source = ElementTree.tostring(drawn([curve([1, 2]), curve([2, 1], dashed=True)]), "unicode")
    assert not re.findall("#[0-9a-f]{6}", source)
    style = (Path(__file__).parents[2] / STYLE).read_text()
    light, dark = style.split("@media (prefers-color-scheme: dark)", 1)
    for name in THEME.values():
        assert f"{name[4:-1]}:" in light
        assert f"{name[4:-1]}:" in dark


def test_ids_begin_with_the_name_and_every_reference_has_its_id():
    for name in ("loss", "accuracy"):
        svg = drawn([curve([1, 2]), curve([2, 1], dashed=True)], name)
        ids = [element.get("id") for element in svg.iter() if element.get("id")]
        assert ids and len(ids) == len(set(ids))
        assert all(identity.startswith(f"{name}-") for identity in ids)
        assert {element.get("href") for element in svg.iter("use")} == {f"#{i}" for i in ids}


def test_a_figure_is_as_it_was_afterwards():
    figure = draw_confusion([[1, 0], [0, 1]], "ab")
    inline_svg("confusion", figure, "")
    assert figure.patch.get_visible() and figure.axes[0].patch.get_visible()


@pytest.mark.parametrize("places", [
    [], [5.0], [5, 5, 5], [0, 100, 3], [1, 2, 3, 40, 41], list(range(30)), [7, 7, 0, 7],
])
def test_names_are_set_apart_in_their_order(places):
    spaced = spread(places, 10)
    order = np.argsort(places, kind="stable")
    assert sorted(places) == [places[place] for place in order]
    gaps = np.diff(np.sort(spaced))
    assert (gaps > 10 - 1e-9).all()
    for before, after in np.argwhere(np.less.outer(places, places)) if places else ():
        assert spaced[before] < spaced[after]
    bounded = spread(places, 10, 0, 300)
    assert all(0 <= place <= 300 for place in bounded)
    assert (np.diff(np.sort(bounded)) > 10 - 1e-9).all()
    if len(set(places)) == len(places) and (np.diff(np.sort(places)) >= 10).all():
        assert spaced == pytest.approx(places)


def test_of_equal_places_the_first_is_highest():
    assert spread([5, 5], 10) == [10, 0]


@pytest.mark.parametrize("scale", ["linear", "log"])
@pytest.mark.parametrize("count", [1, 12])
def test_names_at_lines_do_not_overlap(scale, count):
    figure, (axes,) = chart()
    axes.set_yscale(scale)
    axes.set_xlim(1, 2)
    axes.set_ylim(0.1, 10)
    label_ends(axes, [(2.0, 1 + 1e-3 * place, f"layer {place}", COLOURS[0])
                      for place in range(count)])
    found = texts(ElementTree.fromstring(inline_svg("names", figure, "")))
    heights = sorted(float(found[f"layer {place}"].get("y")) for place in range(count))
    assert (np.diff(heights) >= TEXT).all()
    assert all(0 < height < 72 * figure.get_figheight() for height in heights)


def test_a_name_stands_where_its_line_ends_also_before_the_others():
    found = texts(drawn([curve(np.arange(1, 11) / 100, end="long"),
                         curve([0.05, 0.06], end="short"), curve([0.05, 0.06], end="same")]))
    left = {name: float(found[name].get("x")) for name in ("long", "short", "same", "2", "10")}
    assert left["2"] < left["short"] == left["same"] < left["10"] < left["long"]
    assert abs(float(found["short"].get("y")) - float(found["same"].get("y"))) >= TEXT


def widths(svg):
    line = re.compile(r"fill: none; .*stroke: var\(--line-1\); stroke-width: ([\d.]+)")
    return [float(found) for element in svg.iter("path")
            for found in line.findall(element.get("style", ""))]


def test_a_line_that_another_hides_is_seen_on_both_sides_of_it():
    values = [3, 2, 1, 0.5]
    first, second = widths(drawn([curve(values), curve(values)]))
    assert first >= second + 1.6  # 0.8 pixels on each side
    one, two, three = widths(drawn([curve(values)] * 3))
    assert one > two > three
    apart = widths(drawn([curve(values), curve([1, 2, 3, 4])]))
    assert apart[0] == apart[1]


def test_lines_that_part_after_a_while_or_have_gaps():
    near = widths(drawn([curve([1, 2, 3, 9]), curve([1, 2, 3, 4])]))
    assert near[0] > near[1]
    gaps = widths(drawn([curve([np.nan, 2, np.inf, 4]), curve([1, 2]), curve([5])]))
    assert len(gaps) == 3


def test_factors_have_a_logarithmic_axis_where_they_span_decades():
    assert {"0.1", "1"} <= set(texts(drawn([curve([1, 0.1, 1e-3])], factors=True)))
    assert "0.4" in texts(drawn([curve([1, 0.5, 0.1])], factors=True))
    drawn([curve([1, 0, 1e-5])], factors=True)
