"""minicnn: a convolutional network library from scratch in NumPy and Numba."""

from minicnn import initializers, layers, losses, models, ops, optimizers, schedules
from minicnn.errors import InputError, NonFiniteLossError
from minicnn.ops import backend_name, use_backend
from minicnn.sequential import Sequential, load

__version__ = "0.1.0"

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
