"""From the definition's loops to blocked Winograd: one convolution in five measured steps.

    python benchmarks/kernel_steps.py

Every step computes the same 3×3 convolution, and is held against the reference backend before it
is timed. The loops are timed on fewer images; all times are per image.
"""

import time
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numba import njit
from rich.console import Console
from rich.table import Table

from minicnn.benchmarking.machine import ceiling, description
from minicnn.ops import cpu, reference
from minicnn.ops.cpu.linalg.gemm import product
from minicnn.viewing.charts import COLOURS, INK, QUIET, quieten
from minicnn.viewing.svg_file import save_svg

SIDE, CHANNELS, FILTERS = 24, 128, 128
IMAGES, FEW_IMAGES = 32, 2
ROUNDS = 9
IMAGES = Path(__file__).parents[1] / "docs" / "images"
MEASURED = IMAGES / "kernel-steps.csv"
"""GFLOP/s of each step, and in the last row those of one core's multiply-adds."""

ENLARGED = 4 / 3
"""Pixels of a page to a point of the picture."""

BT = np.array([
    [1, -1.5, -2, 1.5, 1, 0], [0, -1, 0.5, 2.5, 1, 0], [0, 1, -2.5, 0.5, 1, 0],
    [0, -2, -1, 2, 1, 0], [0, 0.5, -1, -0.5, 1, 0], [0, 1, -1.5, -2, 1.5, 1],
], np.float32)
G = np.array([
    [1, 0, 0], [1 / 3, 1 / 3, 1 / 3], [-1 / 3, 1 / 3, -1 / 3],
    [-16 / 15, -8 / 15, -4 / 15], [1 / 15, -2 / 15, 4 / 15], [0, 0, 1],
], np.float32)
AT = np.array([
    [1, 1, 1, 1, 1, 0], [0, 1, -1, 0.5, -2, 0], [0, 1, 1, 0.25, 4, 0], [0, 1, -1, 0.125, -8, 1],
], np.float32)
"""Bᵀ, G and Aᵀ of Winograd's F(4, 3) at the points 0, 1, -1, ½, -2 and ∞."""


@njit(cache=True)
def formula_order(x, w, y):
    """The definition: for every output a sum over the window and the channels."""
    for n in range(y.shape[0]):
        for p in range(y.shape[1]):
            for q in range(y.shape[2]):
                for k in range(y.shape[3]):
                    total = x.dtype.type(0)
                    for i in range(3):
                        for j in range(3):
                            for c in range(x.shape[3]):
                                total += x[n, p + i, q + j, c] * w[i, j, c, k]
                    y[n, p, q, k] = total


@njit(cache=True)
def filters_innermost(x, w, y):
    """The same sums, but neighbours in memory follow each other: vectors of filters."""
    for n in range(y.shape[0]):
        for p in range(y.shape[1]):
            for q in range(y.shape[2]):
                row = y[n, p, q]
                row[:] = 0
                for i in range(3):
                    for j in range(3):
                        for c in range(x.shape[3]):
                            pixel, weights = x[n, p + i, q + j, c], w[i, j, c]
                            for k in range(row.size):
                                row[k] += pixel * weights[k]


def with_loops(loops):
    """A convolution by one of the functions above."""

    def convolve(x, w):
        y = np.empty((*x.shape[:3], w.shape[3]), x.dtype)
        loops(np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0))), w, y)
        return y

    return convolve


def with_algorithm(name):
    """A convolution by one of the library's algorithms."""

    def convolve(x, w):
        with cpu.convolutions(name):
            return cpu.conv2d_forward(x, w, padding=1)[0]

    return convolve


def whole_tensors(x, w):
    """Winograd, step after step over everything: y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A."""
    count, height, width, channels = x.shape
    down, across = height // 4, width // 4
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (6, 6), (1, 2))[:, ::4, ::4]
    d = windows.reshape(-1, channels, 6, 6)  # (tiles, C, 6, 6)
    v = np.ascontiguousarray((BT @ d @ BT.T).transpose(2, 3, 0, 1))  # (6, 6, tiles, C)
    u = np.einsum("ai,ijck,bj->abck", G, w, G)  # (6, 6, C, K)
    m = np.empty((6, 6, len(d), w.shape[3]), x.dtype)
    for a, b in np.ndindex(6, 6):
        m[a, b] = product(v[a, b], np.ascontiguousarray(u[a, b]))
    y = AT @ m.transpose(2, 3, 0, 1) @ AT.T  # (tiles, K, 4, 4)
    y = y.reshape(count, down, across, -1, 4, 4).transpose(0, 1, 4, 2, 5, 3)
    return np.ascontiguousarray(y).reshape(count, height, width, -1)


STEPS = (
    ("loops as in the formula", with_loops(formula_order), FEW_IMAGES, 1),
    ("filters innermost", with_loops(filters_innermost), FEW_IMAGES, 1),
    ("im2col and a register tile", with_algorithm("im2col"), IMAGES, 1),
    ("Winograd, whole tensors", whole_tensors, IMAGES, 1),
    ("Winograd, blocked", with_algorithm("winograd"), IMAGES, 1),
    ("the same, all threads", with_algorithm("winograd"), IMAGES, None),
)
"""Name, function, images and threads (None: all) of each step."""


def arrays():
    """Images and filters."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((IMAGES, SIDE, SIDE, CHANNELS)).astype(np.float32)
    w = rng.standard_normal((3, 3, CHANNELS, FILTERS)).astype(np.float32)
    return x, w / np.float32(np.sqrt(9 * CHANNELS))


def errors(x, w):
    """Each step's greatest error, relative to the greatest output; a wrong step ends all."""
    x = x[:FEW_IMAGES]
    expected, _ = reference.conv2d_forward(x.astype(np.float64), w.astype(np.float64), padding=1)
    found = []
    for name, convolve, _, _ in STEPS:
        error = np.abs(convolve(x, w) - expected).max() / np.abs(expected).max()
        if error > 1e-5:
            raise SystemExit(f"{name}: wrong by {error:.1e}")
        found.append(error)
    return found


def measure(x, w):
    """Seconds an image, medians of rounds in which every step runs once."""
    most, seconds = cpu.thread_count(), np.empty((ROUNDS, len(STEPS)))
    for row in seconds:
        for place, (_, convolve, images, threads) in enumerate(STEPS):
            cpu.use_threads(threads or most)
            start = time.perf_counter()
            convolve(x[:images], w)
            row[place] = (time.perf_counter() - start) / images
    cpu.use_threads(most)
    return np.median(seconds, axis=0)


def pictures():
    """By the name of the file: what was measured last."""
    table = pd.read_csv(MEASURED)
    *gflops, peak = table["gflops"]
    return {"kernel-steps": draw(list(table["step"])[:-1], gflops, peak)}


def draw(names, gflops, peak):
    """Bars, on a scale of tenfold steps, and one thread's peak."""
    figure = Figure(figsize=(7, 3), layout="constrained", facecolor="white")
    axes = figure.subplots()
    quieten(axes)
    axes.tick_params(labelsize=9)
    axes.barh(names, gflops, 0.62, color=COLOURS[0])
    for place, value in enumerate(gflops):
        axes.annotate(f"{value:.3g}", (value, place), (4, 0), textcoords="offset points",
                      va="center", fontsize=8.5, color=INK, zorder=3,
                      bbox={"facecolor": "white", "edgecolor": "none", "pad": 1})
    axes.axvline(peak, color=COLOURS[1], linewidth=1)
    axes.annotate("one core's multiply-adds", (peak, -0.75), (-4, 0), textcoords="offset points",
                  ha="right", va="center", fontsize=8, color=COLOURS[1])
    axes.set_xscale("log")
    axes.set_xlim(0.5, 3 * max(gflops))
    axes.set_ylim(len(names) - 0.5, -1.1)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("GFLOP/s, counted as the formula's", fontsize=9, color=QUIET)
    return figure


if __name__ == "__main__":
    x, w = arrays()
    found = errors(x, w)
    seconds = measure(x, w)
    cpu.use_threads(1)
    peak = ceiling(cpu).gflops
    gflops = 2 * SIDE * SIDE * 9 * CHANNELS * FILTERS / seconds / 1e9
    table = Table("step", "ms an image", "GFLOP/s", "of a core's peak", "faster by", "error")
    for place, (name, *_) in enumerate(STEPS):
        gain = "" if place == 0 else f"{seconds[place - 1] / seconds[place]:.1f}×"
        table.add_row(name, f"{seconds[place] * 1e3:.3f}", f"{gflops[place]:.1f}",
                      f"{gflops[place] / peak:.0%}", gain, f"{found[place]:.0e}")
    table.caption = f"{description(cpu)}; {ROUNDS} rounds; peak {peak:.0f} GFLOP/s a core"
    Console().print(table)
    pd.DataFrame({
        "step": [*(name for name, *_ in STEPS), "one core's multiply-adds"],
        "gflops": [*gflops, peak],
    }).to_csv(MEASURED, index=False, float_format="%.4g", lineterminator="\n")
    for name, figure in pictures().items():
        save_svg(figure, IMAGES / f"{name}.svg", enlarged=ENLARGED)
