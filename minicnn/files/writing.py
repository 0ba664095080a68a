"""Writing files so that a reader never meets half of one."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from minicnn.errors import InputError
from minicnn.files.paths import as_path


@contextmanager
def atomic_path(
    path: str | os.PathLike, keep_as: str | os.PathLike | None = None
) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place when the block ends without an error.

    The temporary file is flushed to the disk before `os.replace` renames it, and so is the folder
    after it; it is removed if the block raises. So `path` holds either its earlier content or all
    of the new one, also after a kill or a power cut.

    Parameters
    ----------
    path : path
        The file to write; its folder must exist.
    keep_as : path, optional
        Another name in the same folder, under which the earlier content is kept.

    Yields
    ------
    pathlib.Path
        Where to write instead: a file in the same folder, so that renaming is atomic.

    Raises
    ------
    InputError
        Where `path` is a folder, its folder does not exist, or the disk is full or cannot be
        written.
    """
    path = as_path(path)
    if path.is_dir():
        raise InputError(f"{path}: expected a file to write, got a folder")
    if not path.parent.is_dir():
        raise InputError(f"{path}: cannot be written, its folder does not exist")
    with _said_of(path):
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    os.close(handle)
    temporary = Path(name)
    try:
        with _said_of(path):
            yield temporary
            with temporary.open("rb+") as stream:
                os.fsync(stream.fileno())
            temporary.chmod(0o666 & ~_umask())
            if keep_as is not None and path.exists():
                _keep(path, Path(keep_as))
            temporary.replace(path)
            sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _keep(path: Path, keep_as: Path) -> None:
    """Give a file's content a second name, in one step; a copy where there are no hard links."""
    second = path.with_name(f".{keep_as.name}.part")
    second.unlink(missing_ok=True)
    try:
        os.link(path, second)
    except OSError:
        shutil.copyfile(path, second)
    second.replace(keep_as)


def append_text(path: str | os.PathLike, text: str) -> None:
    """Add text (UTF-8) to the end of a file and flush it to the disk, all of it or nothing.

    Raises
    ------
    InputError
        Where it cannot be written; the file is as long as before then.
    """
    path = as_path(path)
    length = path.stat().st_size if path.exists() else 0
    try:
        with _said_of(path), path.open("a", encoding="utf-8", newline="") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
    except InputError:
        with suppress(OSError):
            os.truncate(path, length)
        raise


@contextmanager
def _said_of(path: Path) -> Iterator[None]:
    """Turn what the system says against writing into an error about the file itself."""
    try:
        yield
    except OSError as error:
        raise InputError(
            f"{path}: cannot be written ({error.strerror or error}); what was there before is as "
            "it was"
        ) from error


def sync_folder(folder: Path) -> None:
    """Flush a folder's list of names to the disk, where the system knows such a thing."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove_parts(folder: Path) -> None:
    """Remove the temporary files that killed writes of `atomic_path` have left in a folder."""
    for part in folder.glob(".*.part"):
        if part.is_file():
            part.unlink(missing_ok=True)


def atomic_write_text(path: str | os.PathLike, text: str) -> None:
    """Write `text` (UTF-8) to `path`, all of it or nothing. See `atomic_path`."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
