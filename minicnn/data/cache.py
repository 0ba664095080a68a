"""Remembering decoded images between runs, so that a large file is parsed only once.

What was decoded is kept as safetensors in a cache folder, under a hash of the content it came from:
a file that changes in any byte is read anew, whatever its date says, and a file that only moved is
not. The cache is never needed and never trusted: one that is damaged is made again, and a folder
that cannot be written costs time and nothing else.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from minicnn.data.dataset import Split
from minicnn.errors import InputError
from minicnn.files import atomic_path

_FORMAT = "minicnn-splits-1"
_BLOCK = 1 << 24

Splits = dict[str, Split]
"""The splits ``"train"``, ``"validation"`` and ``"test"``, as the source has them."""


def cache_folder() -> Path:
    """Where decoded data is kept.

    The environment variable ``MINICNN_CACHE_DIR``, otherwise ``minicnn`` in ``XDG_CACHE_HOME``,
    otherwise ``~/.cache/minicnn``; for a user without a home, ``minicnn`` in the folder for
    temporary files.
    """
    caches = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache")
    folder = Path(os.environ.get("MINICNN_CACHE_DIR") or caches / "minicnn")
    try:
        return folder.expanduser()
    except RuntimeError:  # a user without a home
        return Path(tempfile.gettempdir()) / "minicnn"


def file_fingerprint(path: Path) -> str:
    """The size of a file and a hash of its content.

    SHA-256 over the SHA-256 of each block of 16 MiB, so that several threads can share the work.
    """
    size = path.stat().st_size

    def block_digest(start: int) -> bytes:
        with path.open("rb", buffering=0) as stream:
            stream.seek(start)
            return hashlib.sha256(stream.read(_BLOCK)).digest()

    with ThreadPoolExecutor() as threads:
        blocks = list(threads.map(block_digest, range(0, size, _BLOCK)))
    return f"{size}-{hashlib.sha256(b''.join(blocks)).hexdigest()}"


def files_fingerprint(files: Iterable[tuple[str, Path]]) -> str:
    """The total size of many files and a hash of their names and contents, in their order.

    Parameters
    ----------
    files : iterable of (str, Path)
        What to call each file, and where it is.
    """
    total = 0
    digest = hashlib.sha256()
    for name, path in files:
        content = path.read_bytes()
        total += len(content)
        digest.update(f"{name}\0{len(content)}\0".encode(errors="surrogateescape"))
        digest.update(content)
    return f"{total}-{digest.hexdigest()}"


def remembered(
    fingerprint: Callable[[], str], read: Callable[[], Splits]
) -> tuple[Splits, tuple[str, ...]]:
    """What `read` gives, or what it gave an earlier time for the same content.

    Parameters
    ----------
    fingerprint : callable
        Gives the key of the source's present content.
    read : callable
        Decodes the source.

    Returns
    -------
    splits : dict of str to Split
        The decoded splits.
    notes : tuple of str
        Says so if they could not be kept for the next time; otherwise empty.
    """
    key = fingerprint()
    file = cache_folder() / f"{_FORMAT}-{key}.safetensors"
    if (known := _load(file)) is not None:
        return known, ()
    splits = read()
    if fingerprint() != key:  # the source changed under our hands
        return splits, ()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(file) as temporary:
            _save(splits, temporary)
    except (OSError, InputError, SafetensorError) as error:
        return splits, (
            f"The decoded images could not be kept in {file.parent} ({error}), so the next start"
            " reads the source again; MINICNN_CACHE_DIR names another folder.",
        )
    return splits, ()


def _save(splits: Splits, path: Path) -> None:
    tensors = {}
    for name, split in splits.items():
        tensors[f"{name}.images"] = split.images
        tensors[f"{name}.labels"] = split.labels
    fingerprints = {name: split.fingerprint() for name, split in splits.items()}
    save_file(tensors, path, metadata={"format": _FORMAT, **fingerprints})


def _load(path: Path) -> Splits | None:
    """What `_save` wrote to `path`; None if there is no such file, or its content is not that."""
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != _FORMAT:
                return None
            splits = {
                name: Split(file.get_tensor(f"{name}.images"), file.get_tensor(f"{name}.labels"))
                for name in ("train", "validation", "test")
            }
    except (OSError, SafetensorError):
        return None
    if any(split.fingerprint() != metadata.get(name) for name, split in splits.items()):
        return None
    return splits
