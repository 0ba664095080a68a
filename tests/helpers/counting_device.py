"""A device that computes nothing and counts what it is asked for: a large network costs nothing.

Every download gives zeros.
"""

from collections import Counter
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import minicnn
from minicnn import optimizers
from minicnn.losses import SoftmaxCrossEntropy
from minicnn.sequential import Sequential
from minicnn.training import Callback, Trainer


class CountingDevice:
    """Has the verbs of `minicnn.ops.cuda.device.Device`.

    Attributes
    ----------
    counts : Counter
        Calls by verb; "wait" counts the downloads and synchronisations that had launches to wait
        for, "bytes home" what was downloaded.
    """

    capability = (9, 0)

    def __init__(self, multiprocessors: int = 132) -> None:
        self.multiprocessors = multiprocessors
        self.counts: Counter[str] = Counter()
        self._next, self._launched = 4096, False

    def allocate(self, nbytes: int) -> int:
        self.counts["allocate"] += 1
        address, self._next = self._next, self._next + -(-nbytes // 256) * 256
        return address

    def free(self, address: int) -> None:
        self.counts["free"] += 1

    def forget(self, address: int) -> None:
        """Nothing is remembered."""

    def upload(self, address: int, host: np.ndarray) -> None:
        self.counts["upload"] += 1

    def download(self, address: int, host: np.ndarray) -> None:
        self.counts["download"] += 1
        self.counts["bytes home"] += host.nbytes
        self.synchronize()
        host[...] = 0

    def copy(self, address: int, source: int, nbytes: int) -> None:
        self.counts["copy"] += 1

    def launch(self, program: Any, grid: Any, threads: int, values: Sequence[Any]) -> None:
        self.counts["launch"] += 1
        self._launched = True

    def synchronize(self) -> None:
        self.counts["wait"] += self._launched
        self._launched = False

    def stream_handle(self) -> int:
        return 1

    def describe(self) -> dict[str, Any]:
        return {"gpu": "counting"}


def steps_of(
    device: CountingDevice, model: Sequential, batch: int, steps: int, *, last: int = 0,
    epochs: int = 1, **adam: Any,
) -> list[Counter[str]]:
    """The counts of each training step, with Adam; no kernel is compiled.

    An epoch has so many steps, and one more for a `last` smaller batch, if any.
    """
    from minicnn.ops.cuda.compile import Kernel
    from minicnn.ops.cuda.device import use_device

    seen = []

    class Count(Callback):
        def on_step_start(self, trainer: Any) -> None:
            device.counts.clear()

        def on_step_end(self, trainer: Any) -> None:
            seen.append(device.counts.copy())

    rng = np.random.default_rng(0)
    inputs = rng.standard_normal((batch * steps + last, *model.input_shape)).astype(np.float32)
    labels = rng.integers(0, 7, len(inputs))
    run = Trainer(model, SoftmaxCrossEntropy(), optimizers.Adam(model.parameters(), **adam),
                  callbacks=[Count()])
    with (pytest.MonkeyPatch.context() as patch, minicnn.use_backend("cuda"),
          use_device(device)):
        patch.setattr(Kernel, "program", lambda self, *_: SimpleNamespace(name=self.name))
        run.fit((inputs, labels), epochs=epochs, batch_size=batch)
    return seen
