"""Opening a table wherever it is kept: a file of its own, or inside zip, tar and gzip archives.

What a file is shows in its first bytes, not in its name. Archives are read as streams, layer by
layer; nothing is ever unpacked to a path, and links among the members are never followed.
"""

import gzip
import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any, cast

from minicnn.data.sources.choosing import TABLES, choose_table
from minicnn.data.sources.quoting import listed
from minicnn.errors import InputError

_MOST_LAYERS = 6
_MOST_MEMBERS = 100_000
_BUFFER = 1 << 20

# Not LZMA, whose header may ask for 4 GiB, nor bzip2, which zipfile expands a block at a time.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)

_EXPANSION = 100  # pixel text packs to a third
_SMALL = 1 << 24  # may expand any number of times
_MOST_BYTES = 1 << 32  # fourteen times fer2013.csv

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
    struct.error,
    RecursionError,  # a tar's long names, each for the next one
    ValueError,
    IndexError,
    OverflowError,
    MemoryError,  # a tar's header that declares a name of a terabyte
)


@dataclass(frozen=True, eq=False)
class Table:
    """A table that is open.

    Parameters
    ----------
    stream : io.BufferedReader
        Its bytes, to read from front to back.
    place : str
        What error messages call it: the path, and the member inside.
    notes : tuple of str
        Which of several tables it is, and why.
    share : callable
        Which share of the file has been read so far, in [0, 1].
    """

    stream: io.BufferedReader
    place: str
    notes: tuple[str, ...]
    share: Callable[[], float]


@contextmanager
def open_table(path: Path) -> Iterator[Table]:
    """The bytes of the one table that `path` is or holds, to read from front to back.

    In an archive `minicnn.data.sources.choosing.choose_table` says which member the table is, in
    any folder; where it is an archive, what that holds.
    The archive's checksums are verified when the block ends.

    Parameters
    ----------
    path : Path
        A CSV file, or a ``.zip``, ``.tar``, ``.tar.gz`` or ``.csv.gz`` with one inside.

    Yields
    ------
    Table

    Raises
    ------
    InputError
        The archive holds no such table or several, is encrypted, damaged or cut short, or expands
        to more than 100 times its size (but 16 MiB are fine) or to 4 GiB; some of this may show
        only while the stream is read.
    OSError
        `path` cannot be opened.
    """
    with ExitStack() as stack:
        stream = stack.enter_context(path.open("rb"))
        size = path.stat().st_size
        most = _most_bytes(size)
        layers = [_Layer(stream, str(path))]  # each archive, then what it holds
        with _damage_said(path):
            while inner := _open_layer(layers[-1], most, stack):
                layers.append(inner)
                if len(layers) > _MOST_LAYERS:
                    raise InputError(f"{path}: expected a table, got archive within archive")
        yield Table(
            layers[-1].stream, layers[-1].place,
            tuple(note for layer in layers for note in layer.notes),
            lambda: min(stream.tell() / max(size, 1), 1.0),
        )
        with _damage_said(path):
            for layer in reversed(layers):
                _read_to_end(layer.stream)  # where gzip keeps its checksum


@contextmanager
def _damage_said(place: str | Path) -> Iterator[None]:
    """Say of what is read inside the block that it is damaged, whatever shows that."""
    try:
        yield
    except InputError:
        raise
    except _DAMAGE as error:
        raise InputError(
            f"{place}: expected an intact file, got one that is damaged or cut short ({error})"
        ) from error


def _most_bytes(size: int) -> int:
    """How much an archive of so many bytes may hold."""
    return min(max(_EXPANSION * size, _SMALL), max(_MOST_BYTES, size))


class _Limited(io.RawIOBase):
    """What an archive holds, refused where it goes on for more than `most` bytes.

    Parameters
    ----------
    stream : binary file
        The member of the archive; may be read from front to back, and again.
    most : int
    place : str
        What error messages call it.
    """

    def __init__(self, stream: IO[bytes], most: int, place: str) -> None:
        self._stream, self._most, self._place = stream, most, place

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with _damage_said(self._place):
            content = self._stream.read(len(buffer))
        buffer[: len(content)] = content
        self._require_modest(self._stream.tell())
        return len(content)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_END:
            while self.readinto(bytearray(_BUFFER)):
                pass
            whence = io.SEEK_CUR
        target = offset + (self._stream.tell() if whence == io.SEEK_CUR else 0)
        if target < 0:
            raise OSError("a place before its beginning")
        self._require_modest(target)
        return self._stream.seek(target)

    def tell(self) -> int:
        return self._stream.tell()

    def _require_modest(self, place: int) -> None:
        if place > self._most:
            raise InputError(
                f"{self._place}: expected at most {self._most:,} bytes in an archive of this "
                "size, got more"
            )


@dataclass(frozen=True, eq=False)
class _Layer:
    """A file or a member of an archive, what error messages call it, and notes on its choice."""

    stream: io.BufferedReader
    place: str
    notes: tuple[str, ...] = ()


def _open_layer(layer: _Layer, most: int, stack: ExitStack) -> _Layer | None:
    """What the archive `layer` holds; None where it is no archive."""
    head = layer.stream.peek(512)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _open_zip(layer, most, stack)
    if head.startswith(b"\x1f\x8b"):
        return _buffered(stack.enter_context(gzip.open(layer.stream)), most, layer.place)
    if head[257:262] == b"ustar":
        return _open_tar(layer, most, stack)
    return None


def _open_zip(layer: _Layer, most: int, stack: ExitStack) -> _Layer:
    archive, place = stack.enter_context(zipfile.ZipFile(layer.stream)), layer.place
    files = [info.filename for info in archive.infolist() if not info.is_dir()]
    name, notes = _choose(files, place)
    member = archive.getinfo(name)
    if member.flag_bits & 1:
        raise InputError(f"{place}: expected an archive without a password, got {name} encrypted")
    if member.compress_type not in _METHODS:
        raise InputError(
            f"{place}: expected an archive packed by deflate, got {name} by method "
            f"{member.compress_type}"
        )
    return _buffered(stack.enter_context(archive.open(member)), most, f"{place}: {name}", notes)


def _open_tar(layer: _Layer, most: int, stack: ExitStack) -> _Layer:
    archive, place = stack.enter_context(tarfile.TarFile(fileobj=layer.stream)), layer.place
    members = list(islice(archive, _MOST_MEMBERS + 1))
    if len(members) > _MOST_MEMBERS:  # or a size below 0, which leads back to the same member
        raise InputError(f"{place}: expected at most {_MOST_MEMBERS:,} members, got more")
    files = [member for member in members if member.isfile()]
    name, notes = _choose([member.name for member in files], place)
    member = next(member for member in files if member.name == name)
    content = archive.extractfile(member)
    assert content is not None  # regular files have content
    return _buffered(stack.enter_context(content), most, f"{place}: {name}", notes)


def _choose(names: Sequence[str], place: str) -> tuple[str, tuple[str, ...]]:
    """The member to read, and notes on others, as `choose_table` describes."""
    chosen, notes = choose_table(names, place)
    if chosen is not None:
        return chosen, notes
    if "[Content_Types].xml" in names:
        raise InputError(f"{place}: expected a table, got an Office file: save it as CSV (UTF-8)")
    raise InputError(
        f"{place}: expected {' or '.join(TABLES)} in the archive, or a single .csv, got"
        f" {listed(names)} (unpack pictures and give their folder)"
    )


def _buffered(
    stream: IO[bytes] | gzip.GzipFile, most: int, place: str, notes: tuple[str, ...] = ()
) -> _Layer:
    limited = _Limited(cast(IO[bytes], stream), most, place)
    return _Layer(io.BufferedReader(limited, _BUFFER), place, notes)


def _read_to_end(stream: io.BufferedReader) -> None:
    while stream.read(_BUFFER):
        pass
