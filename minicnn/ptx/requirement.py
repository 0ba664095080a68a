"""Whether Numba's CUDA compiler is there, and what to install: asked without importing it."""

import importlib.util

PACKAGE = "numba-cuda"
INSTALL = 'pip install "minicnn[cuda]"'
MISSING = f"CUDA kernels are compiled by the package {PACKAGE}, which is missing: {INSTALL}"


def installed() -> bool:
    """Whether the compiler can be imported."""
    return importlib.util.find_spec("numba_cuda") is not None
