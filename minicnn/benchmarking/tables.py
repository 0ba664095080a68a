"""The measurement as tables: on the terminal, in Markdown, and as CSV."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict, fields
from pathlib import Path

import pandas as pd

from minicnn import terminal
from minicnn.benchmarking.results import Results, Row
from minicnn.benchmarking.single import Single
from minicnn.terminal import Column

Cells = list[list[str]]
Sheet = tuple[str, list[str], Cells]
"""Title, headings and cells of a table."""


def tables(results: Results) -> Iterator[Sheet]:
    """Every table of a measurement."""
    yield "The machine at its best", ["threads", "float32 multiply-adds", "copying"], [
        [str(most.threads), _known(most.gflops, ".0f", " GFLOP/s"),
         _known(most.gigabytes, ".1f", " GB/s")]
        for most in results.ceilings.values()
    ]
    for threads in results.ceilings:
        yield _passes(results, threads)
    yield "A process that trains", ["process", "start to first step", "peak memory"], [
        [name, f"{start.first_step:.1f} s", f"{start.peak:.0f} MB"]
        for name, start in results.starts.items()
    ]
    yield "How a convolution's forward grows", ["with", "program", "milliseconds", "exponent"], [
        [
            growth.of, growth.program,
            ", ".join(
                f"{size}: {time:.2f}"
                for size, time in zip(growth.sizes, growth.milliseconds, strict=True)
            ),
            f"{growth.exponent:.2f}",
        ]
        for growth in results.growth
    ]


def passes_of_one(single: Single) -> Sheet:
    """One line a pass and program of one layer."""
    cells = []
    for stage, timings in single.passes.items():
        for name, median, low, high in zip(
            timings.names, timings.medians, *timings.quartiles, strict=True
        ):
            ratio, least, most = timings.ratio(name, timings.names[0])
            cells.append([
                stage, name, f"{1e3 * median:.3f}", f"{1e3 * low:.3f}–{1e3 * high:.3f}",
                f"{ratio:.2f} ({least:.2f}–{most:.2f})",
            ])
    ratio_of = f"times {next(iter(single.passes.values())).names[0]}"
    return "", ["pass", "program", "median ms", "quartiles ms", ratio_of], cells


def _passes(results: Results, threads: int) -> Sheet:
    """One line a pass: the times of all programs, and what this library reaches of the machine."""
    lines: dict[tuple[str, str, int], list[Row]] = {}
    for row in results.rows:
        if row.threads == threads:
            lines.setdefault((row.layer, row.stage, row.batch), []).append(row)
    names = list(dict.fromkeys(row.program for row in results.rows))
    headings = ["layer", "pass", *(f"{name} ms" for name in names)]
    headings += ["ratio"] * (len(names) > 1) + ["GFLOP/s", "of peak", "of copying"]
    cells = []
    for (layer, stage, batch), rows in lines.items():
        own = rows[0]
        name = layer if layer not in ("step", "inference") else f"{layer} of {batch}"
        times = {row.program: f"{row.milliseconds:.2f}" for row in rows}
        line = [name, stage, *(times.get(program, "–") for program in names)]
        if len(names) > 1:
            ratio = results.ratio(threads, layer, stage, batch)
            line.append("–" if ratio is None else f"{ratio:.2f}")
        line += [f"{own.gflops:.0f}", _known(own.peak_share, ".0%")]
        line.append(_known(own.bandwidth_share, ".0%") if own.gigabytes > 0 else "–")
        cells.append(line)
    return f"{threads} thread{'s' * (threads > 1)}", headings, cells


def _known(number: float, form: str, unit: str = "") -> str:
    """A number in its form; a dash where nobody knows it."""
    return "–" if math.isnan(number) else f"{number:{form}}{unit}"


def table(title: str, headings: list[str], cells: Cells) -> terminal.FittingTable:
    """A table for the terminal, numbers to the right."""
    columns = [
        Column(heading, right=place > 0 and any(line[place][:1].isdigit() for line in cells))
        for place, heading in enumerate(headings)
    ]
    return terminal.table(columns, cells, title=title, compact=True)


def markdown(sheets: Iterable[Sheet]) -> str:
    """Tables for a page of documentation."""
    parts = []
    for title, headings, cells in sheets:
        lines = [headings, ["---"] * len(headings), *cells]
        parts.append(f"## {title}\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines))
    return "\n\n".join(parts) + "\n"


def write_csv(results: Results, path: Path) -> None:
    """Every row of the measurement, one a line, under its `Row`'s names."""
    columns = [field.name for field in fields(Row)]
    frame = pd.DataFrame([asdict(row) for row in results.rows], columns=columns)
    frame.insert(columns.index("peak_share"), "gflops", [row.gflops for row in results.rows])
    frame.to_csv(path, index=False, float_format="%.6g")
