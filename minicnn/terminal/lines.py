"""Lines of text in several styles, bars, and how what is drawn comes to a terminal."""

import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console, RenderableType


def bar(share: float, width: int = 40) -> "RenderableType":
    """A bar that fills this share, from 0 to 1, of so many characters."""
    from rich.bar import Bar

    return Bar(1, 0, share, width=width)


def line(
    *parts: str | tuple[str, str], style: str = "", indent: int = 0
) -> "RenderableType":
    """Texts behind each other, some with a style of rich: ``line("a ", ("wrong", "bold red"))``.

    Parameters
    ----------
    *parts : str, or tuple of text and style
    style : str
        Of rich, of all parts.
    indent : int, default 0
        Spaces before each of its lines.

    Returns
    -------
    rich.console.RenderableType
    """
    from rich.padding import Padding
    from rich.text import Text

    text = Text.assemble(*parts, style=style)
    return Padding(text, (0, 0, 0, indent)) if indent else text


def together(*parts: "RenderableType") -> "RenderableType":
    """Several things as one, below each other."""
    from rich.console import Group

    return Group(*parts)


def plain(content: "RenderableType", width: int = 100) -> str:
    """What a terminal of this width would show, without styles."""
    from rich.console import Console

    stream = io.StringIO()
    console = Console(
        file=stream, width=width, color_system=None, force_terminal=True, force_jupyter=False)
    console.print(content)
    return stream.getvalue().rstrip()


def as_printed(result: Any, printer: Any, cycle: bool) -> None:
    """``_repr_pretty_`` of what a notebook shows as ``print`` does."""
    printer.text(str(result))


def show(console: "Console", content: "RenderableType") -> None:
    """Show something whole: a table may be wider than a pipe's lines of text."""
    console.print(content, crop=False)
