"""A thousand steps of a small network, run by `test_long_runs`: prints what the process holds.

Its argument is how many bytes each step shall leak on purpose. Prints a line of JSON after 50 steps
and after 1000.
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np

from minicnn import Sequential, layers, losses, optimizers
from minicnn.training import (
    BestModel,
    Callback,
    Checkpoint,
    HistoryFile,
    RunningStatisticsFile,
    Trainer,
)

STEPS_AN_EPOCH = 10
LOOKS = (50, 1000)


class Look(Callback):
    """Prints what the process holds after so many steps, and leaks."""

    def __init__(self, leak: int) -> None:
        self.leak = leak
        self.leaked: list[bytes] = []
        self.steps = 0

    def on_step_end(self, trainer: Trainer) -> None:
        self.steps += 1
        self.leaked.append(b"x" * self.leak)
        if self.steps in LOOKS:
            resident = Path("/proc/self/statm").read_text().split()[1]
            print(json.dumps({
                "pages": int(resident),
                "handles": len(list(Path("/proc/self/fd").iterdir())),
                "threads": len(list(Path("/proc/self/task").iterdir())),
            }))


def main() -> None:
    rng = np.random.default_rng(0)
    count = 16 * STEPS_AN_EPOCH - 3  # the last batch is a short one
    x, labels = rng.standard_normal((count, 24, 24, 1), np.float32), rng.integers(0, 7, count)
    model = Sequential(
        [layers.Conv2D(8), layers.BatchNorm(), layers.ReLU(), layers.Dropout(0.2),
         layers.MaxPool2D(), layers.Flatten(), layers.Dense(7)],
        input_shape=(24, 24, 1),
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        Trainer(
            model, losses.SoftmaxCrossEntropy(), optimizers.Adam(model.parameters()),
            callbacks=[
                BestModel(model, folder / "model.safetensors"), HistoryFile(folder / "history.csv"),
                RunningStatisticsFile(folder / "batchnorm.csv"),
                Checkpoint(folder / "last.safetensors", {}), Look(int(sys.argv[1])),
            ],
        ).fit((x, labels), (x[:20], labels[:20]), epochs=1000 // STEPS_AN_EPOCH, batch_size=16)


if __name__ == "__main__":
    main()
