"""The two drawings of docs/kernels.md: Winograd's way round, and a tile in registers.

    python benchmarks/kernel_drawings.py
"""

from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle

from minicnn.viewing.charts import COLOURS, INK, QUIET
from minicnn.viewing.svg_file import save_svg

FOLDER = Path(__file__).parents[1] / "docs" / "images"

ENLARGED = 4 / 3
"""Pixels of a page to a point of the drawings."""


def canvas(width, height):
    """A figure and axes without ticks, in units of a tenth of an inch."""
    figure = Figure(figsize=(width, height), facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, 10 * width)
    axes.set_ylim(10 * height, 0)
    axes.axis("off")
    return figure, axes


def grid(axes, x, y, rows, columns, cell, colour, shaded=lambda i, j: True):
    """Squares, the shaded ones filled."""
    for i in range(rows):
        for j in range(columns):
            axes.add_patch(Rectangle(
                (x + j * cell, y + i * cell), cell, cell, edgecolor="white", linewidth=0.8,
                facecolor=colour if shaded(i, j) else "#e8e8e8",
            ))


def label(axes, x, y, text, size=9, colour=INK, **settings):
    """Text, centred unless `settings` say otherwise."""
    axes.text(x, y, text, fontsize=size, color=colour,
              **({"ha": "center", "va": "center"} | settings))


def arrow(axes, x, y, to_x, to_y):
    """An arrow from one place to another."""
    axes.add_patch(FancyArrowPatch((x, y), (to_x, to_y), arrowstyle="-|>", mutation_scale=10,
                                   color=QUIET, linewidth=1))


def winograd():
    """Pixels, 36 frequencies, 36 products, outputs; filters join from below."""
    figure, axes = canvas(8, 3.4)
    grid(axes, 2, 4, 6, 6, 2, COLOURS[4])
    label(axes, 8, 18, "6×6 pixels d\nof each channel")
    arrow(axes, 15, 10, 21, 10)
    label(axes, 18, 8, "Bᵀ d B")
    for depth in (2, 1, 0):
        grid(axes, 22 + depth, 4 - depth, 6, 6, 2, COLOURS[0])
    label(axes, 29, 18, "V: 36 frequencies,\neach tiles × C")
    grid(axes, 4, 23, 3, 3, 2, COLOURS[1])
    label(axes, 7, 32, "3×3 filter g")
    arrow(axes, 12, 26, 23, 26)
    label(axes, 17.5, 24, "G g Gᵀ")
    for depth in (2, 1, 0):
        grid(axes, 24 + depth, 23 - depth, 6, 6, 1.2, COLOURS[5])
    label(axes, 29, 32, "U: 36 matrices, C × K")
    arrow(axes, 37.5, 10, 43, 10)
    arrow(axes, 34.5, 25, 43, 13)
    label(axes, 43, 20, "M[f] = V[f] U[f]: 36 products,\neach tiles × K", ha="left")
    for depth in (2, 1, 0):
        grid(axes, 44 + depth, 4 - depth, 6, 6, 2, COLOURS[2])
    arrow(axes, 60, 10, 66, 10)
    label(axes, 63, 8, "Aᵀ M A")
    grid(axes, 67, 6, 4, 4, 2, COLOURS[3])
    label(axes, 71, 18, "4×4 outputs\nof each filter")
    return figure


def register_tile():
    """Eight numbers of A, a row of a panel of B, and the tile of C that stays in registers."""
    figure, axes = canvas(7, 3.4)
    grid(axes, 22, 4, 4, 16, 2.4, COLOURS[5], lambda i, j: i == 1)
    label(axes, 62, 8.8, "panel of B:\none row, two registers", ha="left")
    label(axes, 41, 2.6, "16 float32 a register; one of the two is drawn", size=8, colour=QUIET)
    grid(axes, 8, 15, 8, 4, 2, COLOURS[0], lambda i, j: j == 1)
    label(axes, 6, 23, "A: 8 numbers,\neach spread\nover a register", ha="right", size=8.5)
    grid(axes, 22, 15, 8, 16, 2.4, COLOURS[2])
    axes.set_ylim(36, 0)
    label(axes, 62, 24, "tile of C:\n16 registers,\nfrom first to last\nstep of the sum", ha="left")
    arrow(axes, 16.5, 23, 21.5, 23)
    arrow(axes, 41, 13.8, 41, 14.9)
    axes.set_xlim(-7, 82)
    return figure


def pictures():
    """By the name of the file."""
    return {"winograd-tile": winograd(), "register-tile": register_tile()}


if __name__ == "__main__":
    for name, figure in pictures().items():
        save_svg(figure, FOLDER / f"{name}.svg", enlarged=ENLARGED)
