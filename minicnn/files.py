"""Writing files so that a reader never meets half of one, and reading them with a limit."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from minicnn.errors import InputError

_BLOCK = 2**20


@contextmanager
def atomic_path(path: str | os.PathLike) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place when the block ends without an error.

    The temporary file is flushed to the disk before `os.replace` renames it, and removed if the
    block raises, so that `path` holds either its earlier content or all of the new one.

    Parameters
    ----------
    path : path
        The file to write; its folder must exist.

    Yields
    ------
    pathlib.Path
        Where to write instead: a file in the same folder, so that renaming is atomic.

    Raises
    ------
    InputError
        Where `path` is a folder, or its folder does not exist.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path}: expected a file to write, got a folder")
    if not path.parent.is_dir():
        raise InputError(f"{path}: cannot be written, its folder does not exist")
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb+") as stream:
            os.fsync(stream.fileno())
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def atomic_write_text(path: str | os.PathLike, text: str) -> None:
    """Write `text` (UTF-8) to `path`, all of it or nothing. See `atomic_path`."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def require_file(path: str | os.PathLike, what: str) -> Path:
    """`path` as a `Path`, or an `InputError` that says why it is not a readable file."""
    path = Path(path)
    try:
        if path.is_dir():
            raise InputError(f"{path}: expected {what}, got a folder")
        if not path.is_file():
            raise InputError(f"{path}: expected {what}, but there is no such file")
    except OSError as error:  # a name that is too long, a folder that may not be entered
        raise InputError(f"{path}: expected {what}, got an error: {error.strerror}") from error
    return path


def read_limited(path: str | os.PathLike, what: str, most: int) -> bytes:
    """The content of a file of at most `most` bytes; one that is larger is not read.

    Parameters
    ----------
    path : path
    what : str
        What the file should be, for error messages.
    most : int

    Returns
    -------
    bytes

    Raises
    ------
    InputError
        Where there is no such file, it is larger, or it cannot be read.
    """
    path = require_file(path, what)
    try:
        content, fits = bytearray(), path.stat().st_size <= most
        with path.open("rb") as stream:
            while fits and (block := stream.read(_BLOCK)):
                content += block
                fits = len(content) <= most
    except OSError as error:
        raise InputError(f"{path}: expected {what}, got an error: {error.strerror}") from error
    if not fits:
        raise InputError(f"{path}: expected {what} of at most {most:,} bytes, got more")
    return bytes(content)


def require_place(path: str | os.PathLike, what: str) -> Path:
    """`path`, if it is a folder or could become one, or an `InputError`; makes nothing."""
    path = Path(path)
    there = next((place for place in (path, *path.parents) if place.exists()), path)
    if there.is_file():
        raise InputError(f"{path}: expected {what}, got a file where a folder belongs")
    return path


def require_folder(path: str | os.PathLike, what: str) -> Path:
    """`path` as a folder that exists from now on, or an `InputError` that says why it cannot."""
    path = require_place(path, what)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{path}: cannot make {what}: {error.strerror}") from error
    return path


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
