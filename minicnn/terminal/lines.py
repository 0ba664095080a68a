"""Lines of text in several styles, bars, and how what is drawn comes to a terminal."""

import io
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from minicnn.terminal.spelling import spelled_in

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.text import Text


def bar(share: float, width: int = 40) -> "RenderableType":
    """A bar that fills this share, from 0 to 1, of so many characters."""
    from rich.bar import Bar

    return Bar(1, 0, share, width=width)


def line(*parts: str | tuple[str, str], style: str = "") -> "RenderableType":
    """Texts behind each other, some with a style of rich: ``line("a ", ("wrong", "bold red"))``.

    Parameters
    ----------
    *parts : str, or tuple of text and style
    style : str
        Of rich, of all parts.

    Returns
    -------
    rich.console.RenderableType
    """
    from rich.text import Text

    return Text.assemble(*parts, style=style)


Row = str | list[tuple[str, str]]
"""A line in one style, or in several."""


class Fitted:
    """Lines that are made for the width of where they are shown, and spelled for its encoding.

    Unlike rich's padding it fills no line up with blanks.

    Parameters
    ----------
    lines : callable
        A width, and what spells a text as it will be shown, to lines of text; one of several
        styles is a list of texts with their styles.
    style : str
        Of rich, of all of them.
    indent : int
        Spaces before each of them.
    """

    def __init__(
        self, lines: Callable[[int, Callable[[str], str]], Iterable[Row]], style: str = "",
        indent: int = 0,
    ) -> None:
        self.lines, self.style, self.indent = lines, style, indent

    def __rich_console__(self, console: "Console", options: "ConsoleOptions") -> "Iterator[Text]":
        from rich.text import Text

        def spell(text: str) -> str:
            return spelled_in(options.encoding, text)

        for row in self.lines(max(options.max_width - self.indent, 1), spell):
            parts = [row] if isinstance(row, str) else row
            text = Text.assemble(" " * self.indent, *parts, style=self.style, overflow="fold")
            text.rstrip()
            yield text


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


def as_html(content: "RenderableType", width: int = 100) -> str:
    """What a terminal of this width would show, with its styles, for a notebook."""
    from rich.console import Console

    console = Console(file=io.StringIO(), record=True, width=width, force_jupyter=False)
    console.print(content)
    return console.export_html(
        inline_styles=True, code_format='<pre style="line-height: 1.3">{code}</pre>'
    )


def as_printed(result: Any, printer: Any, cycle: bool) -> None:
    """``_repr_pretty_`` of what a notebook shows as ``print`` does."""
    printer.text(str(result))


def show(console: "Console", content: "RenderableType") -> None:
    """Show something whole: a table may be wider than a pipe's lines of text."""
    console.print(content, crop=False)
