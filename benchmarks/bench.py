"""`minicnn bench`, and what it measures held against the aims of this project.

    python benchmarks/bench.py --against torch --out benchmark

takes the options of `minicnn bench`, and prints and writes one table more.
"""

import argparse
import sys
from pathlib import Path

from aims import sheets
from rich.console import Console

from minicnn import benchmarking
from minicnn.benchmarking import tables
from minicnn.errors import InputError
from minicnn.files.reading import require_folder


def main() -> None:
    """Measure, print all tables, and write them where a folder is named."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--against", help="torch or reference")
    parser.add_argument("--threads", help="numbers of threads, with commas between")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--out", type=Path, help="folder for bench.csv, bench.md and pictures")
    options = parser.parse_args()
    try:
        settings = benchmarking.settings(
            options.against, options.threads, options.batch_size, options.rounds
        )
        if options.out is not None:
            require_folder(options.out, "the folder of the benchmark")
        results = benchmarking.measure_library(settings, lambda line: print(line, file=sys.stderr))
    except InputError as error:
        parser.error(str(error) if error.argument is None else f"--{error}")
    console, held = Console(), sheets(results)
    console.print(results.environment, highlight=False)
    for sheet in [*tables.tables(results), *held]:
        console.print(tables.table(*sheet))
    if options.out is not None:
        benchmarking.write(results, options.out, held)


if __name__ == "__main__":
    main()
