"""The machine that is measured: its name, and what it could do at best."""

import os
import platform
from dataclasses import dataclass
from pathlib import Path

from minicnn.ops.backend import Backend


@dataclass(frozen=True)
class Ceiling:
    """What so many threads can reach.

    Attributes
    ----------
    threads : int
    gflops : float
        float32 multiply-adds from registers, two operations each, in 10⁹ a second.
    gigabytes : float
        Read and written by a copy that bypasses the caches, in 10⁹ bytes a second.
    """

    threads: int
    gflops: float
    gigabytes: float


def ceiling(backend: Backend, rounds: int = 9) -> Ceiling:
    """Measure the machine with the backend's threads; the best of some rounds."""
    operations, moved = backend.ceiling(rounds)
    return Ceiling(backend.thread_count(), operations / 1e9, moved / 1e9)


def description(backend: Backend) -> str:
    """The processor's name and cores, and what the backend says of itself."""
    name = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                name = line.partition(":")[2].strip()
                break
    described = backend.describe()
    if "vector bits" in described:
        own = [f"vectors of {described['vector bits']} bits"]
    else:
        own = [f"{key} {value}" for key, value in described.items()]
    return ", ".join([name, f"{os.cpu_count()} cores", *own])
