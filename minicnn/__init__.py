"""minicnn: a convolutional network library from scratch in NumPy and Numba.

The parts: `ops` (the operations, in several backends), `layers`, `losses`, `optimizers`,
`schedules`, `initializers`, `models` (ready networks), `Sequential` and `load`; and, imported when
they are first used, `data` (FER2013 and drawn faces), `checking` (gradients, layers, students'
files), `training` (the loop, experiments, runs), `inference` (a network with all it needs, its
figures), `viewing` (reports) and `ptx` (GPU kernels run on the CPU).
"""

import importlib
from typing import Any

from minicnn import initializers, layers, losses, models, ops, optimizers, schedules
from minicnn.errors import InputError, NonFiniteLossError
from minicnn.ops import backend_name, use_backend
from minicnn.sequential import Sequential, load

__version__ = "0.1.0"

_LATER = {
    name: f"minicnn.{name}"
    for name in ("checking", "data", "inference", "ptx", "training", "viewing")
} | {"evaluation": "minicnn.inference.evaluation"}
"""Parts that bring pandas, rich or matplotlib with them: only whoever uses them waits for these."""

__all__ = [
    "InputError",
    "NonFiniteLossError",
    "Sequential",
    "__version__",
    "backend_name",
    "initializers",
    "layers",
    "load",
    "losses",
    "models",
    "ops",
    "optimizers",
    "schedules",
    "use_backend",
]


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return importlib.import_module(_LATER[name])
    raise AttributeError(f"module 'minicnn' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})


def load_ipython_extension(shell: Any) -> None:
    """Give a notebook the cell magic ``%%check``; ``%load_ext minicnn`` calls this."""
    from minicnn.checking.students.magic import register

    register(shell)
