"""A figure as SVG that is part of a page: it has the page's font, and the colours of its theme."""

import io
import re
from itertools import count
from xml.etree import ElementTree

import matplotlib
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from minicnn.viewing.charts import COLOURS, GRID, INK, QUIET

THEME = {
    INK: "var(--ink)", QUIET: "var(--quiet)", GRID: "var(--rule)", "#ffffff": "var(--paper)",
    **{colour.lower(): f"var(--line-{place})" for place, colour in enumerate(COLOURS, start=1)},
}
"""What colours of a figure are called in ``style.css``, where they differ by theme."""

REFERENCE = "{http://www.w3.org/1999/xlink}href"


def theme_colour(colour: str) -> str:
    """What a colour of a figure is called in ``style.css``; itself where it is none of `THEME`."""
    return THEME.get(colour.lower(), colour)


def inline_svg(name: str, figure: Figure, description: str) -> str:
    """The figure as an ``svg`` element, to stand in a page whose style is ``style.css``.

    It needs nothing outside itself, has text as text, and ids that begin with `name`. Nothing is
    cut at the edge of the axes.

    Parameters
    ----------
    name : str
        Like that of no other picture of the page.
    figure : matplotlib.figure.Figure
        A point of it becomes a pixel, unless the page has less room.
    description : str
        For those who cannot see it.
    """
    stream = io.BytesIO()
    grounds = [figure.patch, *(axes.patch for axes in figure.axes)]
    for ground in grounds:
        ground.set_visible(False)
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        FigureCanvasSVG(figure).print_svg(stream, metadata={"Date": None, "Creator": None})
    for ground in grounds:
        ground.set_visible(True)
    root = ElementTree.fromstring(stream.getvalue())
    width, height = (float(size) for size in root.get("viewBox", "").split()[2:])
    _simplify(root, name)
    root.attrib = {
        "class": "chart", "viewBox": f"0 0 {width:g} {height:g}", "role": "img",
        "aria-label": description, "style": f"--width: {width / 16:g}rem",
    }
    return ElementTree.tostring(root, "unicode", short_empty_elements=False)


def _simplify(root: ElementTree.Element, name: str) -> None:
    """Take away what is for a file of its own; name elements, colours and fonts as a page does."""
    targets = {element.get(REFERENCE, "")[1:] for element in root.iter()} - {""}
    names = dict(zip(sorted(targets), (f"{name}-{number}" for number in count(1)), strict=False))
    for parent in list(root.iter()):
        for child in list(parent):
            kind = child.tag.rpartition("}")[2]
            if kind in ("metadata", "style", "clipPath"):
                parent.remove(child)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        element.tail, element.text = None, element.text if element.tag == "text" else None
        attributes = dict(element.attrib)
        element.attrib.clear()
        for key, value in attributes.items():
            if key == REFERENCE:
                element.set("href", f"#{names[value[1:]]}")
            elif key == "id" and value in names:
                element.set("id", names[value])
            elif key == "style":
                element.set("style", _style(value))
            elif key not in ("id", "clip-path") and not value.startswith("rotate(-0 "):
                element.set(key, value)
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in ("defs", "g") and not len(child):
                parent.remove(child)


def _style(style: str) -> str:
    """A style with the theme's colours, and of the font only its size."""
    style = re.sub(r"font: (?:[\w-]+ )*?([\d.]+px) [^;]*", r"font-size: \1", style)
    style = re.sub(r"; font-family: [^;]*", "", style)
    return re.sub("#[0-9a-fA-F]{6}", lambda found: theme_colour(found[0]), style)
