"""Where Numba keeps compiled kernels, and a note there that all of them are."""

import hashlib
import platform
from importlib.metadata import version
from pathlib import Path

from llvmlite.binding import get_host_cpu_name
from numba.core import config
from numba.core.codegen import get_host_cpu_features

from minicnn.ops.cpu.linalg.blocks import block_of

PACKAGE = Path(__file__).parents[3]

_NOTE = "minicnn-warm.txt"


def _own_folder() -> Path:
    """Where the kernels of this folder's files lie, as one of them tells."""
    return Path(block_of.stats.cache_path)


def cache_folder() -> Path:
    """The folder that holds all compiled kernels; the package itself where they lie beside it."""
    own = _own_folder()
    return PACKAGE if own == Path(__file__).parent / "__pycache__" else own.parent


def kernel_count() -> int:
    """How many compiled kernels lie there."""
    return sum(1 for _ in cache_folder().rglob("*.nbc"))


def _digest(what: str) -> str:
    """A hash of what makes compiled kernels other ones: source, versions, processor; and `what`."""
    parts = [
        what, platform.python_version(), *map(version, ("numba", "llvmlite", "numpy")),
        str(config.CPU_NAME), str(config.CPU_FEATURES),
        get_host_cpu_name(), get_host_cpu_features(),
    ]
    digest = hashlib.sha256("\n".join(parts).encode())
    for path in sorted(PACKAGE.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def all_compiled(what: str) -> bool:
    """Whether `note_all_compiled` has noted it, for this source, these versions, this processor.

    The note goes with the folder; single kernels that were deleted since are not missed.
    """
    note = _own_folder() / _NOTE
    return note.is_file() and _digest(what) in note.read_text(encoding="utf-8").split()


def note_all_compiled(what: str) -> None:
    """Note that all kernels of `what` are compiled."""
    with (_own_folder() / _NOTE).open("a", encoding="utf-8") as note:
        note.write(f"{_digest(what)}\n")
