"""Tables that are shown whole, however wide the terminal is."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from minicnn.terminal.lines import line, plain, together

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.table import Table

WIDEST = 10_000
"""Characters in a line where nothing ends it."""


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
    """

    heading: str
    right: bool = False
    footer: str = ""
    no_wrap: bool = False


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


@dataclass(frozen=True, repr=False)
class FittingTable:
    """A table that is shown whole at any width.

    Where its words do not fit side by side, the frame is left out; where that is too wide too,
    each row becomes a list of headings and cells. A pipe or file gets a table as wide as it is,
    unless the environment variable COLUMNS says how wide a line is.
    """

    columns: "tuple[Column, ...]"
    rows: "tuple[Row, ...]"
    title: str
    upright: bool
    centred: bool
    caption: str
    compact: bool

    def __repr__(self) -> str:
        """As a notebook shows it, or ``print``."""
        return plain(self)

    def __rich_console__(
        self, console: "Console", options: "ConsoleOptions"
    ) -> "Iterator[RenderableType]":
        """What rich shows: the first form that fits."""
        from rich.measure import Measurement

        endless = not console.is_terminal and "COLUMNS" not in os.environ
        width = WIDEST if endless else options.max_width
        unlimited = options.update(max_width=WIDEST)
        for compact in (True,) if self.compact else (False, True):
            table = self._side_by_side(compact)
            least, most = self._widths(console, unlimited, table)
            frame = Measurement.get(console, unlimited, table).maximum - sum(most)
            if sum(least) + frame <= width:
                shares = _shares(least, most, width - frame)
                for column, share in zip(table.columns, shares, strict=True):
                    column.width = share
                table.width = sum(shares) + frame
                yield table
                return
        yield self._below_each_other()

    def _widths(
        self, console: "Console", options: "ConsoleOptions", table: "Table"
    ) -> tuple[list[int], list[int]]:
        """The least and the most that each column takes; figures stay on one line."""
        from rich.measure import Measurement

        least, most = [], []
        for described, column in zip(self.columns, table.columns, strict=True):
            texts = [Measurement.get(console, options, text)
                     for text in (column.header, column.footer)]
            cells = [Measurement.get(console, options, cell) for cell in column.cells]
            whole = described.right or described.no_wrap
            least.append(max([text.minimum for text in texts]
                             + [cell.maximum if whole else cell.minimum for cell in cells]))
            most.append(max(each.maximum for each in texts + cells))
        return least, most

    def _side_by_side(self, compact: bool) -> "Table":
        from rich.box import HEAVY_HEAD, SIMPLE_HEAD
        from rich.table import Table
        from rich.text import Text

        result = Table(
            title=Text(self.title, "" if self.upright else "table.title") if self.title else None,
            title_justify="center" if self.centred else "left",
            caption=Text(self.caption, "table.caption") if self.caption else None,
            show_footer=any(column.footer for column in self.columns),
            box=SIMPLE_HEAD if compact else HEAVY_HEAD,
            padding=(0, 1, 0, 0) if compact else (0, 1),
        )
        for column in self.columns:
            result.add_column(
                Text(column.heading), Text(column.footer),
                justify="right" if column.right else "left",
                overflow="fold", no_wrap=column.no_wrap,
            )
        _add_rows(result, self.rows)
        return result

    def _below_each_other(self) -> "RenderableType":
        """Every row as a list: its first cell, then heading and cell on each line."""
        rows = list(self.rows)
        if any(column.footer for column in self.columns):
            rows.append(Row([column.footer for column in self.columns]))
        parts: list[RenderableType] = [line(self.title, style="italic")] if self.title else []
        for row in rows:
            first, *others = row.cells
            parts.append(line(first, style="bold") if isinstance(first, str) else first)
            cells = bare_table(
                Row((f"  {column.heading}", cell), row.style)
                for column, cell in zip(self.columns[1:], others, strict=False) if cell != ""
            )
            if cells.columns:
                cells.columns[0].no_wrap = True
            parts.append(cells)
        return together(*parts, *([line(self.caption)] if self.caption else []))


def _shares(least: list[int], most: list[int], space: int) -> list[int]:
    """Each column's width: at least its longest word, at most its longest line.

    What is left over goes to all that can use it alike.
    """
    widths = list(least)
    while growing := [place for place in range(len(widths)) if widths[place] < most[place]]:
        share, rest = divmod(space - sum(widths), len(growing))
        if share <= 0 and rest <= 0:
            break
        for number, place in enumerate(growing):
            more = share + (number < rest)
            widths[place] = min(widths[place] + more, most[place])
    return widths


def table(
    columns: Iterable[Column],
    rows: "Iterable[Row | Iterable[RenderableType]]",
    *,
    title: str = "",
    upright: bool = False,
    centred: bool = False,
    caption: str = "",
    compact: bool = False,
) -> FittingTable:
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
    FittingTable
        For `rich.console.Console.print`.
    """
    return FittingTable(
        tuple(columns), tuple(_as_row(each) for each in rows), title, upright, centred, caption,
        compact,
    )


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
    for column in result.columns:
        column.overflow = "fold"
    return result


def _add_rows(
    table: "Table", rows: "Iterable[Row | Iterable[RenderableType]]"
) -> None:
    from rich.text import Text

    for row in map(_as_row, rows):
        cells = (Text(cell) if isinstance(cell, str) else cell for cell in row.cells)
        table.add_row(*cells, style=row.style, end_section=row.rule_below)


def _as_row(row: "Row | Iterable[RenderableType]") -> Row:
    """Its cells can be read more than once."""
    return row._replace(cells=tuple(row.cells)) if isinstance(row, Row) else Row(tuple(row))
