"""Fuzz one reader of strangers' files: ``python tests/programs/fuzz.py model --seconds 600``.

Atheris (``pip install atheris``) follows which branches an input takes and keeps those that reach
new ones; ``--blind`` mutates without it, where it has no build for this Python. The entry points
are those of ``tests/helpers/hostile_readers.py``. What breaks the property goes to a file: its
path is printed, and ``--again`` takes it to see it once more.
"""

import argparse
import os
import random
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hostile_readers import Reader

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "helpers"))

FOLLOWED = ["minicnn", "tarfile", "zipfile", "gzip", "tomllib", "json", "PIL"]
"""Modules whose branches atheris follows."""

COMPILED = ["minicnn.ops.cpu", "minicnn.data.sources.csv_reader", "minicnn.data.augmentation"]
"""Those that Numba compiles, which it cannot once atheris has been there."""

MEMORY_MB = 4096
SLOWEST = 10
"""Seconds that one input may take."""


def main() -> None:
    options = _options()
    if options.blind or options.again:
        _blind(options)
    else:
        _guided(options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("reader", help="a key of READERS in tests/helpers/hostile_readers.py")
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--blind", action="store_true", help="mutate without atheris")
    parser.add_argument("--again", type=Path, help="a file that was found")
    return parser.parse_args()


def _guided(options: argparse.Namespace) -> None:
    """Fuzz with atheris, which ends the process."""
    try:
        import atheris
    except ModuleNotFoundError:
        sys.exit("fuzz.py: atheris is missing: python -m pip install atheris, or give --blind")
    os.environ["MINICNN_BACKEND"] = "reference"
    with atheris.instrument_imports(include=FOLLOWED, exclude=COMPILED):
        reader = _reader(options.reader)
    folder = Path(tempfile.mkdtemp())
    corpus = folder / "corpus"
    corpus.mkdir()
    for number, seed in enumerate(reader.seeds(folder).values()):
        (corpus / str(number)).write_bytes(seed)

    def entry(content: bytes) -> None:
        reader.outcome(content, folder)

    arguments = [
        sys.argv[0], str(corpus), f"-max_total_time={options.seconds}", f"-seed={options.seed}",
        f"-timeout={SLOWEST}", f"-rss_limit_mb={MEMORY_MB}", "-max_len=65536",
        "-print_final_stats=1", f"-artifact_prefix={options.reader}-",
    ]
    atheris.Setup(arguments, entry)
    atheris.Fuzz()


def _reader(name: str) -> "Reader":
    from hostile_readers import READERS

    if name not in READERS:
        sys.exit(f"tests/programs/fuzz.py: expected one of {', '.join(READERS)}, got {name!r}")
    return READERS[name]


def mutated(content: bytes, seeds: list[bytes], rng: random.Random) -> bytes:
    """`content` with one to eight changes: flips, pieces put in, cut out, doubled or moved."""
    from hostile_readers import tokens

    changed = bytearray(content)
    for _ in range(rng.randint(1, 8)):
        at = rng.randrange(len(changed) + 1)
        end = min(len(changed), at + rng.choice((1, 2, 4, 8, 64)))
        kind = rng.randrange(6)
        if kind == 0 and at < len(changed):
            changed[at] ^= 1 << rng.randrange(8)
        elif kind == 1 and at < len(changed):
            changed[at] = rng.randrange(256)
        elif kind == 2:
            changed[at:at] = rng.choice(tokens(content))
        elif kind == 3:
            del changed[at:end]
        elif kind == 4:
            changed[at:end] = rng.choice(tokens(content))[: end - at]
        else:
            other = rng.choice(seeds)
            start = rng.randrange(len(other) + 1)
            changed[at:at] = other[start : start + rng.choice((4, 32, 256))]
    return bytes(changed)


def _blind(options: argparse.Namespace) -> None:
    """Fuzz with `mutated`, or read the one file of ``--again``."""
    reader, folder = _reader(options.reader), Path(tempfile.mkdtemp())
    seeds, rng = list(reader.seeds(folder).values()), random.Random(options.seed)
    if options.again:
        print(repr(reader.outcome(options.again.read_bytes(), folder)))
        return
    start, count, found, slowest = time.monotonic(), 0, set(), 0.0
    while time.monotonic() - start < options.seconds:
        content = mutated(rng.choice(seeds), seeds, rng)
        begun = time.monotonic()
        try:
            reader.outcome(content, folder)
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            if (finding := (type(error), place.filename, place.lineno)) not in found:
                found.add(finding)
                path = Path(f"{options.reader}-{len(found)}")
                path.write_bytes(content)
                print(f"found: {error!r}, see {path}")
        slowest = max(slowest, time.monotonic() - begun)
        count += 1
    print(f"{options.reader}: {count:,} executions, {len(found)} findings, "
          f"slowest {slowest:.2f} s")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
