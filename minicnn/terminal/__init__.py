"""What the library shows in a terminal: tables, bars, lines of text in several styles.

Everything is drawn by rich, which is imported when something is drawn: ``import minicnn`` does
without. Texts are shown as they are: brackets in a file's name are no markup.
"""

from typing import TYPE_CHECKING

from minicnn.terminal.lines import Fitted, as_html, as_printed, bar, line, plain, show, together
from minicnn.terminal.pixels import GreyPicture
from minicnn.terminal.spelling import spell_on
from minicnn.terminal.tables import Column, FittingTable, Row, bare_table, table

if TYPE_CHECKING:
    from rich.console import Console as Console, RenderableType as RenderableType
    from rich.table import Table as Table

__all__ = [
    "Column",
    "Fitted",
    "FittingTable",
    "GreyPicture",
    "Row",
    "as_html",
    "as_printed",
    "bar",
    "bare_table",
    "line",
    "plain",
    "show",
    "spell_on",
    "table",
    "together",
]
