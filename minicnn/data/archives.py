"""Opening a table wherever it is kept: a file of its own, or inside zip, tar and gzip archives.

What a file is shows in its first bytes, not in its name. Archives are read as streams, layer by
layer; nothing is ever unpacked to a path.
"""

import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, cast

from minicnn.data.quoting import listed
from minicnn.errors import InputError

_TABLES = ("fer2013.csv", "icml_face_data.csv")
_ARCHIVES = (".zip", ".tar", ".tgz", ".gz")
_MOST_LAYERS = 6
_BUFFER = 1 << 20

# What the standard library raises while it reads an archive that is cut short or altered,
# or packed by a method it does not know.
_DAMAGE = (
    OSError,
    EOFError,
    NotImplementedError,
    UnicodeDecodeError,
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
)


@contextmanager
def open_table(path: Path) -> Iterator[tuple[io.BufferedReader, str]]:
    """The bytes of the one table that `path` is or holds, to read from front to back.

    In an archive the table is the one member called ``fer2013.csv`` or ``icml_face_data.csv``, in
    any folder, otherwise the only ``.csv``, otherwise whatever the only archive inside it holds.
    The archive's checksums are verified when the block ends.

    Parameters
    ----------
    path : Path
        A CSV file, or a ``.zip``, ``.tar``, ``.tar.gz`` or ``.csv.gz`` with one inside.

    Yields
    ------
    stream : io.BufferedReader
        The table's bytes.
    place : str
        What error messages call it: the path, and the member inside.

    Raises
    ------
    InputError
        The archive holds no such table or several, is encrypted, damaged or cut short; the last
        may show only while the stream is read.
    OSError
        `path` cannot be opened.
    """
    with ExitStack() as stack:
        stream = stack.enter_context(path.open("rb"))
        try:
            layers = [(stream, str(path))]  # each archive, then what it holds
            while inner := _open_layer(*layers[-1], stack):
                layers.append(inner)
                if len(layers) > _MOST_LAYERS:
                    raise InputError(f"{path}: expected a table, got archive within archive")
            yield layers[-1]
            for layer, _ in reversed(layers):
                _read_to_end(layer)  # where gzip keeps its checksum
        except _DAMAGE as error:
            raise InputError(
                f"{path}: expected an intact file, got one that is damaged or cut short ({error})"
            ) from error


def _open_layer(
    stream: io.BufferedReader, place: str, stack: ExitStack
) -> tuple[io.BufferedReader, str] | None:
    """What the archive `stream` holds, and what to call it; None where it is no archive."""
    head = stream.peek(512)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _open_zip(stream, place, stack)
    if head.startswith(b"\x1f\x8b"):
        return _buffered(stack.enter_context(gzip.open(stream)), place)
    if head[257:262] == b"ustar":
        return _open_tar(stream, place, stack)
    return None


def _open_zip(
    stream: io.BufferedReader, place: str, stack: ExitStack
) -> tuple[io.BufferedReader, str]:
    archive = stack.enter_context(zipfile.ZipFile(stream))
    name = _choose([info.filename for info in archive.infolist() if not info.is_dir()], place)
    if archive.getinfo(name).flag_bits & 1:
        raise InputError(f"{place}: expected an archive without a password, got {name} encrypted")
    return _buffered(stack.enter_context(archive.open(name)), f"{place}: {name}")


def _open_tar(
    stream: io.BufferedReader, place: str, stack: ExitStack
) -> tuple[io.BufferedReader, str]:
    archive = stack.enter_context(tarfile.TarFile(fileobj=stream))
    name = _choose([member.name for member in archive if member.isfile()], place)
    content = archive.extractfile(name)
    assert content is not None  # regular files have content
    return _buffered(stack.enter_context(content), f"{place}: {name}")


def _choose(names: Sequence[str], place: str) -> str:
    """The member to read, as `open_table` describes."""
    names = [name for name in names if not _base(name).startswith(".")]
    tables = [name for name in names if _base(name) in _TABLES]
    if len(tables) > 1:
        raise InputError(
            f"{place}: expected one table in the archive, got {listed(tables)} (unpack one of them)"
        )
    csvs = [name for name in names if _base(name).endswith(".csv")]
    archives = [name for name in names if _base(name).endswith(_ARCHIVES)]
    for fitting in (tables, csvs, archives):
        if len(fitting) == 1:
            return fitting[0]
    raise InputError(
        f"{place}: expected {' or '.join(_TABLES)} in the archive, or a single .csv, got"
        f" {listed(names)} (unpack pictures and give their folder)"
    )


def _base(name: str) -> str:
    return PurePosixPath(name).name.casefold()


def _buffered(stream: IO[bytes] | gzip.GzipFile, place: str) -> tuple[io.BufferedReader, str]:
    return io.BufferedReader(cast(io.RawIOBase, stream), _BUFFER), place


def _read_to_end(stream: io.BufferedReader) -> None:
    while stream.read(_BUFFER):
        pass
