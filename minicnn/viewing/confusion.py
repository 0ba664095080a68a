"""The confusion matrix: which class was taken for which, as counts and shares."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from minicnn.viewing.charts import COLOURS, INK, QUIET, TEXT, chart


@dataclass(frozen=True)
class Cell:
    """The images of one class that were taken for one class.

    Attributes
    ----------
    count : int
    share : float
        Of all images of the label; 0 where it has none.
    right : bool
        Whether both classes are the same.
    """

    count: int
    share: float
    right: bool

    @property
    def rounded(self) -> str:
        """The share in whole percent; ``"<1"`` where some images would round to none."""
        rounded = f"{100 * self.share:.0f}"
        return "<1" if self.count and rounded == "0" else rounded

    @property
    def text(self) -> str:
        """Share and count below each other; a dot where there is no image."""
        return f"{self.rounded}%\n{self.count:,}" if self.count else "·"


def confusion_cells(matrix: Sequence[Sequence[int]] | np.ndarray) -> list[list[Cell]]:
    """The cells of a confusion matrix.

    Parameters
    ----------
    matrix : sequence of sequence of int, or ndarray of int (C, C)
        Images by label (row) and prediction (column).

    Returns
    -------
    list of C lists of C Cell
    """
    return [
        [Cell(int(count), int(count) / max(int(np.sum(row)), 1), label == taken)
         for taken, count in enumerate(row)]
        for label, row in enumerate(matrix)
    ]


def draw_confusion(
    matrix: Sequence[Sequence[int]] | np.ndarray, classes: Sequence[str]
) -> Figure:
    """The matrix as a chart: a cell is the denser, the greater its share of the row; right is blue.

    Cells let the ground show through, so that the chart reads on a light page and on a dark one.

    Parameters
    ----------
    matrix : sequence of sequence of int, or ndarray of int (C, C)
        Images by label (row) and prediction (column).
    classes : sequence of C str
        Their names, by label.

    Returns
    -------
    matplotlib.figure.Figure
    """
    cells = confusion_cells(matrix)
    figure, (axes,) = chart(height=5.1)
    axes.set(xlim=(-0.5, len(cells) - 0.5), ylim=(len(cells) - 0.5, -0.5), aspect="equal")
    for label, row in enumerate(cells):
        for taken, cell in enumerate(row):
            colour = (COLOURS[0] if cell.right else COLOURS[1]) if cell.count else QUIET
            axes.add_patch(Rectangle(
                (taken - 0.48, label - 0.48), 0.96, 0.96, facecolor=colour, linewidth=0,
                alpha=0.07 + 0.68 * cell.share,
            ))
            axes.text(taken, label, cell.text, ha="center", va="center",
                      fontsize=TEXT - 2, color=INK if cell.count else QUIET)
    axes.set_xticks(range(len(classes)), classes, rotation=40, ha="right", parse_math=False)
    axes.set_yticks(range(len(classes)), classes, parse_math=False)
    axes.grid(visible=False)
    axes.spines["bottom"].set_visible(False)
    axes.set_xlabel("taken for", fontsize=TEXT, color=QUIET)
    axes.set_ylabel("label", fontsize=TEXT, color=QUIET)
    return figure
