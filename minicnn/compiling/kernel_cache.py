"""Where compiled kernels are kept: a cache that forgives.

Numba keeps them beside the source, or in the user's cache folder, or where ``NUMBA_CACHE_DIR``
says. Here a damaged file is compiled again, a place that cannot be written to is replaced by a
folder for temporary files, and two processes may fill one cache at once.

A kernel holds copies of the small functions that it calls, and Numba watches the file of the kernel
alone. Here a kernel is as old as the newest of all files that kernels come from.
"""

import functools
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from numba.core import config
from numba.core.caching import FunctionCache, IndexDataCacheFile

from minicnn.errors import NotCompiledError, notify

LOCK = ".minicnn.lock"
"""The file in a folder of kernels that whoever adds one holds."""

ROOMS = ("compiling", "ops/cpu")
"""The folders of the package whose functions kernels are made of, wherever a kernel lies."""

LOCK_SECONDS = 10
"""How long to wait for another process that keeps a kernel at the same time."""


class KernelCache(FunctionCache):
    """Numba's cache of one function, which neither raises nor gives what it was not asked for."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        stamp = (self._impl.locator.get_source_stamp(), _sources())
        self._cache_file = IndexDataCacheFile(self.cache_path, self._impl.filename_base, stamp)

    def load_overload(self, signature: Any, target_context: Any) -> Any:
        """The compiled kernel of this signature, or None where there is none that can be used."""
        try:
            found = super().load_overload(signature, target_context)
        except (MemoryError, NotCompiledError):
            raise
        except Exception:  # whatever a damaged pickle or object file leads to
            with suppress(OSError):
                self.flush()
            return None
        arguments = signature.args if hasattr(signature, "args") else signature
        # two processes without a lock can leave one's number of a file with the other's code
        return found if found is None or found.signature.args == tuple(arguments) else None

    def save_overload(self, signature: Any, compiled: Any) -> None:
        """Keep a compiled kernel for the next start, if that is possible."""
        try:
            with self._alone():
                super().save_overload(signature, compiled)
        except MemoryError:
            raise
        except (OSError, Timeout) as error:
            _say_once(
                f"compiled kernels cannot be kept in {self.cache_path} ({error.strerror or error}),"
                " and are compiled again at every start: NUMBA_CACHE_DIR can name another folder"
            )
        except Exception:  # a damaged index
            with suppress(OSError):
                self.flush()
                super().save_overload(signature, compiled)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Within the block no other process adds a kernel, where the file system has locks."""
        lock = FileLock(Path(self.cache_path, LOCK), timeout=LOCK_SECONDS)
        with suppress(NotImplementedError):
            lock.acquire()
        try:
            yield
        finally:
            lock.release()


@functools.cache
def _sources() -> str:
    """A number for the text of all files in `ROOMS`."""
    told = hashlib.sha256()
    for room in ROOMS:
        folders = [files("minicnn").joinpath(*room.split("/"))]
        while folders:
            for entry in sorted(folders.pop().iterdir(), key=lambda entry: entry.name):
                if entry.is_dir():
                    folders.append(entry)
                elif entry.name.endswith(".py"):
                    told.update(entry.read_bytes())
    return told.hexdigest()


def cache_of(function: Callable[..., Any]) -> KernelCache | None:
    """The cache of a function; None where nothing at all can be written."""
    try:
        return KernelCache(function)
    except RuntimeError:  # no place can be written to
        pass
    try:
        config.CACHE_DIR = str(_temporary_folder())
        _say_once(
            f"compiled kernels are kept in {config.CACHE_DIR}, since neither the package nor the "
            "user's cache can be written to: NUMBA_CACHE_DIR can name a folder that stays"
        )
        return KernelCache(function)
    except (RuntimeError, OSError):
        _say_once(
            "no folder can be written to, and kernels are compiled again at every start: "
            "NUMBA_CACHE_DIR can name a folder"
        )
        return None


def _temporary_folder() -> Path:
    """A folder that belongs to this user alone: what lies in a cache is run."""
    user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "")
    folder = Path(tempfile.gettempdir(), f"minicnn-kernels-{user}")
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    status = folder.lstat()
    ours = not hasattr(os, "getuid") or (
        status.st_uid == os.getuid() and not status.st_mode & 0o022 and folder.is_dir()
        and not folder.is_symlink()
    )
    return folder if ours else Path(tempfile.mkdtemp(prefix="minicnn-kernels-"))


_said = False


def _say_once(message: str) -> None:
    global _said
    if not _said:
        _said = True
        notify(message)
