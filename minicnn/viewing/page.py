"""Turning a template and its values into one page that needs nothing else."""

import math
import os
import re
from numbers import Integral
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from minicnn.files.paths import as_path
from minicnn.files.writing import atomic_write_text
from minicnn.summary import human_bytes
from minicnn.viewing.inline_svg import theme_colour

ABSENT = "–"
"""Stands where a value is not defined or was not measured."""


def percent(share: float | None) -> str:
    """``"95.9 %"`` from 0.959."""
    return ABSENT if share is None or math.isnan(share) else f"{share:.1%}".replace("%", "\u202f%")


def number(value: float | None) -> str:
    """Whole numbers in groups of three, others to four digits."""
    if value is None or math.isnan(value):
        return ABSENT
    return f"{value:,}" if isinstance(value, Integral) else f"{value:.4g}"


def plural(count: int, noun: str) -> str:
    """The noun as it stands after a count: ``"epoch"`` after 1, else ``"epochs"``."""
    return noun if count == 1 else f"{noun}s"


def duration(seconds: float) -> str:
    """In the two greatest units that it fills: ``"1 min 23 s"``."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def setting(value: Any) -> str:
    """A value of an ``experiment.toml`` as one would say it; a list of tables a line each."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ("\n" if any(isinstance(item, dict) for item in value) else ", ").join(
            setting(item) for item in value
        ) or ABSENT
    if isinstance(value, dict):
        kind = [value["type"]] if "type" in value else []
        return " ".join(kind + [f"{key}={setting(item)}" for key, item in value.items()
                                if key != "type"])
    return f"{value:g}" if isinstance(value, float) else str(value) or ABSENT


def write_page(path: str | os.PathLike, template: str, values: dict[str, Any]) -> Path:
    """Fill a template of ``templates/`` and write it, atomically.

    Whatever `values` hold is text: markup in it is shown, never obeyed.

    Parameters
    ----------
    path : path
        The HTML file; its folder must exist.
    template : str
        The file's name.
    values : dict
        What the template calls by these names.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    InputError
        Where `path` is a folder, or its folder does not exist.
    jinja2.UndefinedError
        Where the template needs a value that is not there.
    """
    environment = Environment(
        loader=PackageLoader("minicnn.viewing"), autoescape=True, undefined=StrictUndefined,
        lstrip_blocks=True,
    )
    environment.filters["zip"] = zip
    environment.filters.update(
        percent=percent, number=number, plural=plural, duration=duration, setting=setting,
        bytes=human_bytes, headings=_headings, theme_colour=theme_colour,
    )
    path = as_path(path)
    atomic_write_text(path, environment.get_template(template).render(values))
    return path


def _headings(body: str) -> list[tuple[str, str]]:
    """Of a page's sections their ids and titles, in order; the titles as they are marked up."""
    return [(found[1], found[2])
            for found in re.finditer(r'<section id="([^"]+)">\s*<h2>(.*?)</h2>', body)]
