"""Kill training at random moments, resume it, and compare with a run that nobody disturbed.

    python tests/programs/kill_and_resume.py --kills 200 --threads 2 [--data fer2013.csv]

A kill is SIGKILL, SIGTERM or SIGINT from outside at a random time, or SIGKILL from within: before a
step, or in the middle of writing a file.
"""

import argparse
import itertools
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from minicnn.files.tensors import read_tensors

PROGRAMS = Path(__file__).parent
INSIDE = {"step": 25, "fsync": 12, "replace": 12, "replaced": 12, "half": 8}
"""Kinds of moments inside a process, and at which of them at the latest it dies."""

OUTSIDE = {
    name: getattr(signal, name) for name in ("SIGKILL", "SIGTERM", "SIGINT")
    if hasattr(signal, name)
}

KILLED = {-number for number in OUTSIDE.values()} | {128 + signal.SIGTERM, 128 + signal.SIGINT}
"""Exit statuses of a process that was killed, or that a signal ended in good order."""

TIMES = {"seconds", "warm_seconds", "warm_images", "images_per_second"}

EXPERIMENT = """
name = "killed"
seed = 3
[data]
train = 280
validation = 35
test = 35
[model]
layers = [
    {type = "Conv2D", filters = 4, stride = 2}, {type = "BatchNorm"}, {type = "ReLU"},
    {type = "MaxPool2D", size = 4}, {type = "Flatten"}, {type = "Dropout", rate = 0.3},
    {type = "Dense", units = 7},
]
[optimizer]
name = "adam"
lr = 0.003
[schedule]
name = "plateau"
patience = 1
[augmentation]
flip = true
shift = 0.05
[training]
epochs = 4
batch_size = 32
weight_average = 0.9
early_stopping = 4
"""


def answer_ctrl_c() -> None:
    """Let this process and those that it starts be interrupted, also where the shell that started
    it in the background has them ignore that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


class Killer:
    """Trains one experiment over and over, in processes that die.

    Parameters
    ----------
    folder : Path
        Of all runs.
    threads : int
    seed : int
        Of the moments.
    data : Path, optional
        FER2013's table; drawn faces by default.
    """

    def __init__(self, folder: Path, threads: int, seed: int, data: Path | None = None) -> None:
        self.folder, self.random = folder, random.Random(seed)
        self.options = ["--threads", str(threads), "--checkpoint-every", "3"]
        self.data = [] if data is None else ["--data", str(data), "--limit", "300"]
        (folder / "killed.toml").write_text(EXPERIMENT)
        self._run(self._begin("compiling")).check_returncode()
        start = time.monotonic()  # without compiling, which no later run does
        self._run(self._begin("undisturbed")).check_returncode()
        self.seconds = time.monotonic() - start
        self.expected = result(folder / "undisturbed")
        self.kinds = itertools.cycle([*INSIDE, *OUTSIDE])
        self.kills: Counter[str] = Counter()
        self.runs = 0

    def _begin(self, name: str) -> list[str]:
        if (self.folder / name / "experiment.toml").exists():
            return ["train", "--resume", name, *self.options]
        return ["train", "killed.toml", "--out", name, *self.data, *self.options]

    def _run(self, arguments: list[str]) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, "-m", "minicnn", *arguments], cwd=self.folder, capture_output=True,
            text=True,
        )

    def run_until(self, kills: int) -> None:
        """Begin runs, kill and resume each until it ends, compare; until there were enough kills,
        of every kind.

        Raises
        ------
        AssertionError
            Where a run ends on other bits, or with an error of its own, or some kind of kill has
            not come in as many runs as there should be kills.
        """
        while self.kills.total() < kills or self.kills.keys() != {*INSIDE, *OUTSIDE}:
            assert self.runs < kills, f"{self.runs} runs, but only these kills: {self.kills}"
            self.runs += 1
            name = f"run{self.runs}"
            for _ in range(self.random.randint(3, 8)):
                self._kill(name, next(self.kinds))
            ended = self._run(self._begin(name))
            assert ended.returncode == 0, ended.stderr
            differ(self.expected, result(self.folder / name), name)

    def _kill(self, name: str, kind: str) -> None:
        """Go on with a run until it is killed, unless it ends before."""
        arguments = self._begin(name)
        command = [sys.executable, "-m", "minicnn"]
        if kind in INSIDE:
            number = self.random.randint(1, INSIDE[kind])
            command = [sys.executable, str(PROGRAMS / "dying_process.py"), kind, str(number)]
        process = subprocess.Popen(
            [*command, *arguments], cwd=self.folder, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
        )
        if kind in OUTSIDE:
            time.sleep(self.random.uniform(0.05, 1) * self.seconds)
            process.send_signal(OUTSIDE[kind])
        _, error = process.communicate()
        if process.returncode == 0:  # it ended before
            return
        assert process.returncode in KILLED, (kind, process.returncode, error)
        self.kills[kind] += 1


def result(run: Path) -> dict[str, Any]:
    """All that a run ends with, without times: JSON-ready, arrays as bytes in hexadecimal."""
    found: dict[str, Any] = {}
    for file, kind in (("last", "checkpoint"), ("model", "model")):
        header, arrays = read_tensors(run / f"{file}.safetensors", kind)
        found[f"{file}: header"] = without_times(
            header["trainer"] if kind == "checkpoint" else header)
        for name, array in arrays.items():
            found[f"{file}: {name}"] = np.ascontiguousarray(array).tobytes().hex()
    history = (run / "history.csv").read_text().splitlines()
    found["history.csv"] = [line.split(",")[:7] for line in history]
    for name in ("batchnorm.csv", "layers.csv"):
        found[name] = (run / name).read_text()
    found["results.json"] = without_times(json.loads((run / "results.json").read_text()))
    found["left over"] = sorted(path.name for path in run.rglob("*.part"))
    return found


def without_times(value: Any) -> Any:
    """Nested values without those that a clock gave."""
    if isinstance(value, dict):
        return {key: without_times(each) for key, each in value.items() if key not in TIMES}
    if isinstance(value, list):
        return [without_times(each) for each in value]
    return value


def differ(expected: dict[str, Any], got: dict[str, Any], name: str) -> None:
    """Raise an AssertionError that names what differs, if anything does."""
    different = [key for key in expected if expected[key] != got.get(key)]
    assert not different, f"{name}: {', '.join(different)} differ from the undisturbed run"
    assert expected.keys() == got.keys()


def main() -> None:
    """Run as a script."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", type=Path)
    chosen = parser.parse_args()
    answer_ctrl_c()
    with tempfile.TemporaryDirectory() as folder:
        killer = Killer(Path(folder), chosen.threads, chosen.seed, chosen.data)
        killer.run_until(chosen.kills)
    kinds = ", ".join(f"{kind} {number}" for kind, number in sorted(killer.kills.items()))
    print(f"{killer.kills.total()} kills ({kinds}) in {killer.runs} runs, {chosen.threads} "
          "threads: every run ended on the bits of the undisturbed one")


if __name__ == "__main__":
    main()
