"""``history.csv``: what it holds, and when."""

import csv
from pathlib import Path

import numpy as np
import pandas as pd
from small_training import INPUTS, LABELS, trainer

from minicnn import Sequential, layers, losses, optimizers
from minicnn.training import Callback, HistoryFile, Trainer


def test_the_history_file_is_a_table_whatever_the_numbers_are(tmp_path):
    run = trainer([HistoryFile(tmp_path / "history.csv")])
    run.optimizer.lr = np.float64(0.01)
    run.fit((INPUTS, LABELS), epochs=1, batch_size=8)
    run.fit((INPUTS, LABELS), epochs=2, batch_size=8)  # writes the first epoch anew
    table = pd.read_csv(tmp_path / "history.csv")
    assert list(table["learning_rate"]) == [0.01, 0.01]
    assert table["train_loss"][0] == run.history[0].train_loss


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
