"""What the library shows in a terminal: tables, bars, lines of text in several styles.

Everything is drawn by rich, which is imported when something is drawn: ``import minicnn`` does
without. Texts are shown as they are: brackets in a file's name are no markup.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from rich.console import Console as Console, RenderableType as RenderableType
    from rich.table import Table as Table


class Column(NamedTuple):
    """One column of a table.

    Attributes
    ----------
    heading : str
    right : bool
        Whether the cells stand at the right, as numbers do.
    footer : str
    no_wrap : bool
        Whether a cell stays on one line.
    fold : bool
        Whether a word that is too long goes on in the next line; it is cut otherwise.
    """

    heading: str
    right: bool = False
    footer: str = ""
    no_wrap: bool = False
    fold: bool = False


class Row(NamedTuple):
    """One row of a table that is more than its cells.

    Attributes
    ----------
    cells : iterable of str or rich.console.RenderableType
    style : str
        Of rich, such as ``"bold red"``.
    rule_below : bool
        Whether a line is drawn below.
    """

    cells: "Iterable[RenderableType]"
    style: str = ""
    rule_below: bool = False


def table(
    columns: Iterable[Column],
    rows: "Iterable[Row | Iterable[RenderableType]]",
    *,
    title: str = "",
    upright: bool = False,
    centred: bool = False,
    caption: str = "",
    compact: bool = False,
) -> "Table":
    """A table with headings, and with a footer where a column has one.

    Parameters
    ----------
    columns : iterable of Column
    rows : iterable of Row, or of iterables of cells
    title : str
    upright : bool, default False
        Whether the title is upright, not italic.
    centred : bool, default False
        Whether the title is centred, not at the left.
    caption : str
        Below the table.
    compact : bool, default False
        One line under the headings instead of a frame.

    Returns
    -------
    rich.table.Table
    """
    from rich.box import HEAVY_HEAD, SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    columns = list(columns)
    result = Table(
        title=Text(title, "" if upright else "table.title") if title else None,
        title_justify="center" if centred else "left",
        caption=Text(caption, "table.caption") if caption else None,
        show_footer=any(column.footer for column in columns),
        box=SIMPLE_HEAD if compact else HEAVY_HEAD,
        padding=(0, 1, 0, 0) if compact else (0, 1),
    )
    for column in columns:
        result.add_column(
            Text(column.heading), Text(column.footer),
            justify="right" if column.right else "left",
            overflow="fold" if column.fold else "ellipsis",
            no_wrap=column.no_wrap,
        )
    _add_rows(result, rows)
    return result


def bare_table(
    rows: "Iterable[Row | Iterable[RenderableType]]", *, title: str = ""
) -> "Table":
    """Rows in columns, without headings and frame, under an upright title.

    Parameters
    ----------
    rows : iterable of Row, or of iterables of cells
    title : str

    Returns
    -------
    rich.table.Table
    """
    from rich.table import Table
    from rich.text import Text

    result = Table(
        title=Text(title) if title else None, title_justify="left", show_header=False, box=None
    )
    _add_rows(result, rows)
    return result


def _add_rows(
    table: "Table", rows: "Iterable[Row | Iterable[RenderableType]]"
) -> None:
    from rich.text import Text

    for each in rows:
        row = each if isinstance(each, Row) else Row(each)
        cells = (Text(cell) if isinstance(cell, str) else cell for cell in row.cells)
        table.add_row(*cells, style=row.style, end_section=row.rule_below)


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

    console = Console(width=width, color_system=None)
    with console.capture() as capture:
        console.print(content)
    return capture.get().rstrip()
