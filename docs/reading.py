"""The core of minicnn in reading order, with line counts, and the longest files and functions.

    python docs/reading.py           # print
    python docs/reading.py --write   # and write the tables of README.md and docs/architecture.md

The counts are figures to look at, not limits. A line of code is a line that is neither blank nor
only comment or docstring.
"""

import argparse
import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "minicnn"

CHAPTERS = {
    "the mathematics": (
        "ops/reference/dense.py",
        "ops/reference/activations.py",
        "ops/reference/softmax_cross_entropy.py",
        "ops/reference/conv2d.py",
        "ops/reference/pool2d.py",
        "ops/reference/batchnorm.py",
        "ops/reference/layernorm.py",
        "ops/reference/groupnorm.py",
        "ops/reference/dropout.py",
        "ops/reference/updates.py",
        "ops/reference/reductions.py",
    ),
    "the doors": (
        "ops/dense.py",
        "ops/activations.py",
        "ops/softmax_cross_entropy.py",
        "ops/conv2d.py",
        "ops/window.py",
        "ops/pool2d.py",
        "ops/batchnorm.py",
        "ops/layernorm.py",
        "ops/groupnorm.py",
        "ops/dropout.py",
        "ops/updates.py",
        "ops/reductions.py",
        "ops/arguments.py",
        "ops/backend.py",
    ),
    "the layers": (
        "layers/parameters.py",
        "layers/array_spec.py",
        "layers/base.py",
        "layers/dense.py",
        "layers/flatten.py",
        "layers/activations.py",
        "layers/conv2d.py",
        "layers/pool2d.py",
        "layers/batchnorm.py",
        "layers/layernorm.py",
        "layers/groupnorm.py",
        "layers/dropout.py",
    ),
    "the training": (
        "losses.py",
        "optimizers.py",
        "sequential.py",
        "training/trainer.py",
    ),
    "the kernels": (
        "ops/cpu/batchnorm.py",
        "ops/cpu/conv2d.py",
        "ops/cpu/conv2d_im2col.py",
        "ops/cpu/linalg/layout.py",
        "ops/cpu/linalg/register_tile.py",
        "ops/cpu/linalg/gemm.py",
    ),
}
"""The core, file by file, in the order in which it is read: mathematics first, kernels last."""

LONGEST = 12
"""How many of the longest files and functions are shown."""

NO_CODE = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT,
           tokenize.ENCODING, tokenize.ENDMARKER}
"""Tokens that make no line a line of code."""


class Count(NamedTuple):
    """Lines of code, and all lines."""

    code: int
    all: int


def code_lines(text: str) -> set[int]:
    """The numbers of the lines of code in a module's text."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in NO_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):  # docstrings, also those below a constant
        if (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
                and isinstance(node.value.value, str)):
            lines.difference_update(range(node.lineno, node.end_lineno + 1))
    return lines


def count_file(path: Path) -> Count:
    """The lines of a file."""
    text = path.read_text(encoding="utf-8")
    return Count(len(code_lines(text)), len(text.splitlines()))


def count_functions(path: Path) -> Iterator[tuple[str, Count]]:
    """The name and the lines of each function of a file."""
    text = path.read_text(encoding="utf-8")
    lines = code_lines(text)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            own = range(node.lineno, node.end_lineno + 1)
            yield node.name, Count(len(lines.intersection(own)), len(own))


def core() -> dict[str, dict[str, Count]]:
    """For each chapter its files, and their lines."""
    return {chapter: {name: count_file(PACKAGE / name) for name in names}
            for chapter, names in CHAPTERS.items()}


def total(counts: list[Count]) -> Count:
    """The sum of several counts."""
    return Count(sum(count.code for count in counts), sum(count.all for count in counts))


def chapter_table() -> str:
    """A row for each chapter, for README.md."""
    rows = ["| | files, with their lines of code | in all |", "|---|---|---:|"]
    everything = []
    for chapter, files in core().items():
        named = ", ".join(f"`{name}` {count.code}" for name, count in files.items())
        rows.append(f"| {chapter} | {named} | {total(list(files.values())).code:,} |")
        everything += files.values()
    rows.append(f"| in all | {len(everything)} files | {total(everything).code:,} |")
    return "\n".join(rows)


def file_table() -> str:
    """A row for each file, for docs/architecture.md."""
    rows = ["| | file | lines of code | all lines |", "|---|---|---:|---:|"]
    everything = []
    for chapter, files in core().items():
        rows += [f"| {chapter} | [`{name}`](../minicnn/{name}) | {count.code} | {count.all} |"
                 for name, count in files.items()]
        everything += files.values()
    code, lines = total(everything)
    rows.append(f"| in all | {len(everything)} files | {code:,} | {lines:,} |")
    return "\n".join(rows)


PAGES = {ROOT / "README.md": chapter_table, ROOT / "docs" / "architecture.md": file_table}
"""The pages that hold a table of the core, and what makes it."""


def filled(page: Path) -> str:
    """A page's text with the table of the moment between its two marks."""
    table = PAGES[page]()
    text, found = re.subn(r"(<!-- reading -->\n).*?(<!-- end -->)",
                          lambda marks: f"{marks[1]}{table}\n{marks[2]}",
                          page.read_text(encoding="utf-8"), flags=re.DOTALL)
    if found != 1:
        raise SystemExit(f"{page.name}: expected one table between <!-- reading --> and "
                         f"<!-- end -->, found {found}")
    return text


def main() -> None:
    """Print the core, the longest files and the longest functions."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--write", action="store_true", help="write the tables of the pages, too")
    write = parser.parse_args().write

    print("lines of code, all lines")
    for chapter, files in core().items():
        _print(chapter, list(files.items()))
    everything = [count for files in core().values() for count in files.values()]
    _print("in all", [(f"{len(everything)} files", total(everything))])

    modules = sorted(PACKAGE.rglob("*.py"))
    names = {path: path.relative_to(PACKAGE).as_posix() for path in modules}
    _print("the longest files", _longest([(names[path], count_file(path)) for path in modules]))
    _print("the longest functions", _longest([
        (f"{names[path]}: {name}", count)
        for path in modules for name, count in count_functions(path)]))

    if write:
        for page in PAGES:
            page.write_text(filled(page), encoding="utf-8")


def _longest(counts: list[tuple[str, Count]]) -> list[tuple[str, Count]]:
    return sorted(counts, key=lambda item: item[1], reverse=True)[:LONGEST]


def _print(title: str, counts: list[tuple[str, Count]]) -> None:
    print(f"\n{title}")
    for name, count in counts:
        print(f"{count.code:6,} {count.all:6,}  {name}")


if __name__ == "__main__":
    main()
