"""Compiling on two cores: while a first step goes forward, another process compiles its backward.

Numba holds one lock while it compiles, so that threads would not help; what a process has compiled,
another finds in the cache on disk. The other process takes the forward of a small batch from the
reference backend, which compiles nothing, and begins with the backward at once.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import numpy as np

from minicnn.ops import backend, backend_name, use_backend
from minicnn.sequential import Sequential
from minicnn.signals import LAST_ACTS

IMAGES = 8
"""The small batch: few images, but enough for the kernels of a large one."""


@contextmanager
def compile_ahead(model: Sequential) -> Iterator[None]:
    """Share the compiling of the model's first step with another process, where there is any to do.

    The process is started at the first kernel that has to be compiled inside the block, and ended
    with the block. If it fails, everything is compiled here.

    Parameters
    ----------
    model : Sequential
        What is trained inside the block, on the backend that is chosen.
    """
    helpers: list[subprocess.Popen] = []

    def start() -> None:
        if backend().most_threads() > 1 and sys.executable:
            with suppress(OSError):
                helpers.append(_start(model))
                LAST_ACTS.append(helpers[0].terminate)

    try:
        with backend().on_first_compilation(start):
            yield
    finally:
        for helper in helpers:
            LAST_ACTS.remove(helper.terminate)
            helper.terminate()
            helper.wait()


def _start(model: Sequential) -> subprocess.Popen:
    """A process that compiles the model's backward."""
    helper = subprocess.Popen(
        [sys.executable, "-m", __name__, backend_name()], text=True,
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    assert helper.stdin is not None
    with helper.stdin:
        helper.stdin.write(json.dumps(model.config()))
    return helper


def _main() -> None:
    """Compile, on the backend that is named, the backward of the architecture on standard input."""
    model = Sequential.from_config(json.load(sys.stdin))
    x = np.random.default_rng(0).standard_normal((IMAGES, *model.input_shape))
    with use_backend("reference"):
        y = model.forward(x.astype(model.dtype), training=True)
    with use_backend(sys.argv[1]):
        model.backward(y, input_gradient=False)


if __name__ == "__main__":
    _main()
