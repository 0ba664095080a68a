"""A long run holds no more than a short one, and its history is on disk while it goes on."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from minicnn import Sequential, layers, losses, optimizers
from minicnn.training import Callback, HistoryFile, Trainer

PROGRAM = Path(__file__).parents[1] / "programs" / "long_run.py"
needs_proc = pytest.mark.skipif(
    not Path("/proc/self/statm").exists(), reason="asks Linux's /proc what a process holds"
)


def held(leak: int = 0) -> tuple[dict[str, int], dict[str, int]]:
    """What a fresh process holds after 50 steps, and after 1000."""
    result = subprocess.run(
        [sys.executable, PROGRAM, str(leak)], capture_output=True, text=True, timeout=600
    )
    assert result.returncode == 0, result.stderr
    early, late = map(json.loads, result.stdout.splitlines())
    return early, late


@needs_proc
def test_a_thousand_steps_hold_what_fifty_do() -> None:
    early, late = held()
    assert late["pages"] <= 1.02 * early["pages"]
    assert late["handles"] <= early["handles"]
    assert late["threads"] <= early["threads"]


@needs_proc
def test_a_few_kilobytes_a_step_would_be_noticed() -> None:
    early, late = held(leak=10_000)
    assert late["pages"] > 1.02 * early["pages"]


def test_the_history_is_on_disk_after_every_epoch(tmp_path: Path) -> None:
    path, seen = tmp_path / "history.csv", []

    class Read(Callback):
        """Another reader, at the first step of each epoch."""

        def on_step_start(self, trainer: Trainer) -> None:
            if trainer.batch == 0:
                with path.open(newline="") as stream:
                    rows = list(csv.DictReader(stream))
                assert [int(row["epoch"]) for row in rows] == list(range(1, trainer.epoch))
                shown = [float(row["train_loss"]) for row in rows]
                assert shown == [epoch.train_loss for epoch in trainer.history]
                assert path.read_bytes().startswith(seen[-1] if seen else b"epoch,")
                seen.append(path.read_bytes())

    model = Sequential([layers.Dense(3)], input_shape=(4,))
    rng = np.random.default_rng(0)
    Trainer(
        model, losses.SoftmaxCrossEntropy(), optimizers.SGD(model.parameters()),
        callbacks=[HistoryFile(path), Read()],
    ).fit((rng.standard_normal((9, 4)), rng.integers(0, 3, 9)), epochs=4, batch_size=4)
    assert len(seen) == 4
