"""What only a process of its own can tell: its peak memory, and how long until its first step."""

import json
import math
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from minicnn.benchmarking.programs import Minicnn, Program
from minicnn.errors import InputError

STEPS = 4
"""Steps after the first, for the peak of memory."""


@dataclass(frozen=True)
class Start:
    """A training process from its start.

    Attributes
    ----------
    first_step : float
        Seconds from the start of the process to the end of its first step.
    peak : float
        Most memory that it held in its first steps, in 10⁶ bytes.
    """

    first_step: float
    peak: float


def start(
    program: str, batch: int, threads: int, backend: str = "cpu", *, cache: str | None = None
) -> Start:
    """Run a few steps in a fresh process.

    Parameters
    ----------
    program : {"minicnn", "PyTorch"}
    batch, threads : int
    backend : str, default "cpu"
        Of minicnn; PyTorch computes on the GPU beside cuda.
    cache : str, optional
        Folder of compiled kernels, instead of the usual one.

    Raises
    ------
    InputError
        Where the process fails; with what it said.
    """
    environment = dict(os.environ)
    if cache is not None:
        environment |= {"NUMBA_CACHE_DIR": cache, "MINICNN_CACHE_DIR": cache}
    command = [sys.executable, "-m", __name__, program, str(batch), str(threads), backend,
               str(time.time())]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if result.returncode:
        raise InputError(f"the process for {program} failed: {result.stderr.strip()[-500:]}")
    return Start(**json.loads(result.stdout))


def cold_and_warm(batch: int, threads: int, backend: str) -> tuple[Start, Start]:
    """The first process after installation, which compiles as training does, and the next."""
    with tempfile.TemporaryDirectory() as folder:
        return (
            start("minicnn", batch, threads, backend, cache=folder),
            start("minicnn", batch, threads, backend, cache=folder),
        )


def _main(name: str, batch: int, threads: int, backend: str, began: float) -> None:
    """Run steps in this process and print a `Start`."""
    import numpy as np

    from minicnn import models
    from minicnn.benchmarking.torch_program import Torch
    from minicnn.compile_ahead import compile_ahead

    device = "cuda" if backend == "cuda" else "cpu"
    program: Program = Minicnn(backend) if name == "minicnn" else Torch(device)
    program.use_threads(threads)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((batch, *models.INPUT_SHAPE)).astype(np.float32)
    network = models.paper()
    step = program.step(network, x, rng.integers(0, models.CLASSES, batch))
    step.prepare()
    with compile_ahead(network):
        step.run()
    first_step = time.time() - began
    for _ in range(STEPS):
        step.run()
    print(json.dumps({"first_step": first_step, "peak": _peak() / 1e6}))


def _peak() -> float:
    """Most bytes of memory that this process has held; not a number where nobody tells.

    Linux counts what the process was before it became this program into ``ru_maxrss``, but not
    into ``VmHWM``.
    """
    status = Path("/proc/self/status")
    if status.exists():
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return float(lines["VmHWM"].split()[0]) * 1024
    try:
        import resource
    except ImportError:  # Windows
        return math.nan
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)  # macOS: bytes


if __name__ == "__main__":
    _main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], float(sys.argv[5]))
