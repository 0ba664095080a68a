"""Train what docs/paper.md reports, and keep each run's small files in ``kept/`` beside this file.

    python benchmarks/fer2013/train.py --data fer2013.csv --work ~/runs [NAME ...]

Runs that are kept already are left out; one that was stopped goes on. With ``--at-once 2`` two run
beside each other, of one thread each: on two cores that trains more images a second than one run
of two threads.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from minicnn.training import read_experiment

KEPT = Path(__file__).with_name("kept")

FILES = ("history.csv", "layers.csv", "results.json")
"""What is kept of a run, beside its experiment."""

SEEDS = (0, 1, 2)

RATES = (0.003, 0.01)
"""Learning rates beside 0.001, whose first three epochs are those of the full runs."""

PLAN: dict[str, list[str]] = {
    **{
        f"{experiment}-seed{seed}": [experiment, "--seed", str(seed)]
        for seed in SEEDS for experiment in ("paper-bn", "paper-plain")
    },
    **{
        f"{experiment}-lr{rate}": [experiment, "--lr", str(rate), "--epochs", "3"]
        for rate in RATES for experiment in ("paper-bn", "paper-plain")
    },
    "best-single": ["best-single"],
}
"""Each run by its name: arguments of ``minicnn train``."""


def main() -> None:
    options = _options()
    names = options.names or [name for name in PLAN if not (KEPT / name).exists()]
    if unknown := [name for name in names if name not in PLAN]:
        sys.exit(f"train.py: expected some of {', '.join(PLAN)}, got {unknown[0]!r}")
    with ThreadPoolExecutor(options.at_once) as pool:
        failed = [name for name, done in zip(
            names, pool.map(lambda name: _run(name, options), names), strict=True
        ) if not done]
    if failed:
        sys.exit(f"train.py: ended without results: {', '.join(failed)}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", help="runs of PLAN; by default all that are missing")
    parser.add_argument("--data", required=True, type=Path, help="fer2013.csv")
    parser.add_argument("--work", required=True, type=Path, help="where the runs' folders are")
    parser.add_argument("--at-once", type=int, default=1)
    parser.add_argument("--threads", type=int, help="of each run; 1 of several at once")
    return parser.parse_args()


def _run(name: str, options: argparse.Namespace) -> bool:
    """Train one run to its end, or on from its checkpoint, and keep its files."""
    folder = options.work / name
    options.work.mkdir(parents=True, exist_ok=True)
    begun = (folder / "last.safetensors").exists()
    command = ["--resume", str(folder)] if begun else [
        *PLAN[name], "--data", str(options.data), "--out", str(folder)]
    threads = options.threads or (1 if options.at_once > 1 else None)
    if threads:
        command += ["--threads", str(threads)]
    with (options.work / f"{name}.log").open("a", encoding="utf-8") as log:
        ended = subprocess.run(
            [sys.executable, "-m", "minicnn", "train", *command], stdout=log, stderr=log
        )
    if ended.returncode == 0:
        _keep(folder, KEPT / name, options.data)
    return ended.returncode == 0


def _keep(folder: Path, kept: Path, data: Path) -> None:
    """Copy a run's small files, all or none; of the data's path only its name."""
    experiment = read_experiment(folder / "experiment.toml").changed(data={"path": data.name})
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent, prefix=".") as place:
        part = Path(place) / kept.name
        part.mkdir()
        for name in FILES:
            shutil.copy(folder / name, part / name)
        (part / "experiment.toml").write_text(experiment.to_toml(), encoding="utf-8")
        shutil.rmtree(kept, ignore_errors=True)
        part.rename(kept)


if __name__ == "__main__":
    main()
