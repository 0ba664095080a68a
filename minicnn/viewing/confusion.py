"""The confusion matrix: which class was taken for which, as counts and shares."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from minicnn.viewing.charts import COLOURS, INK, QUIET, chart


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
    """The matrix as a chart: a cell's colour is its share of the row, right ones blue.

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
    figure, (axes,) = chart(height=4.4)
    shares = np.array([[cell.share if cell.right else -cell.share for cell in row]
                       for row in cells])
    colours = LinearSegmentedColormap.from_list("share", [COLOURS[1], "white", COLOURS[0]])
    axes.imshow(shares, cmap=colours, vmin=-1.25, vmax=1.25)
    for label, row in enumerate(cells):
        for taken, cell in enumerate(row):
            axes.text(taken, label, f"{cell.share:.0%}\n{cell.count:,}", ha="center", va="center",
                      fontsize=8, color=INK if cell.count else QUIET)
    axes.set_xticks(range(len(classes)), classes, rotation=40, ha="right", parse_math=False)
    axes.set_yticks(range(len(classes)), classes, parse_math=False)
    axes.grid(visible=False)
    axes.spines["bottom"].set_visible(False)
    axes.set_xlabel("taken for", fontsize=9, color=QUIET)
    axes.set_ylabel("label", fontsize=9, color=QUIET)
    return figure
