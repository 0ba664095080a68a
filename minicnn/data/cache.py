"""Remembering decoded images between runs, so that a large file is parsed only once.

What was decoded is kept as safetensors in a cache folder, under a hash of the content it came from:
a file that changes in any byte is read anew, whatever its date says, and a file that only moved is
not. The cache is never needed and never trusted: one that is damaged is made again, and a folder
that cannot be written costs time and nothing else.
"""

import hashlib
import sys
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from safetensors import SafetensorError

from minicnn.data.dataset import EMOTIONS, IMAGE_SIZE, Split
from minicnn.data.sources.images import MOST_BYTES
from minicnn.errors import InputError
from minicnn.files.caches import cache_folder
from minicnn.files.reading import read_limited
from minicnn.files.tensors import read_tensors, write_tensors

_FORMAT = "minicnn-splits-5"
_BLOCK = 1 << 24

Splits = dict[str, Split]
"""The splits ``"train"``, ``"validation"`` and ``"test"``, as the source has them."""


def file_fingerprint(path: Path) -> str:
    """The size of a file and a hash of its content.

    SHA-256 over the SHA-256 of each block of 16 MiB, so that several threads can share the work.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    str
        Bytes in decimal, ``-``, hash in hexadecimal.

    Raises
    ------
    OSError
        The file cannot be read.
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

    Returns
    -------
    str
        Bytes in decimal, ``-``, hash in hexadecimal.

    Raises
    ------
    InputError
        A file cannot be read, or is too large for a picture.
    """
    total = 0
    digest = hashlib.sha256()
    for name, path in files:
        content = read_limited(path, "a picture", MOST_BYTES)
        total += len(content)
        digest.update(f"{name}\0{len(content)}\0".encode(errors="surrogateescape"))
        digest.update(content)
    return f"{total}-{digest.hexdigest()}"


def remembered(
    fingerprint: Callable[[], str], read: Callable[[], tuple[Splits, tuple[str, ...]]]
) -> tuple[Splits, tuple[str, ...]]:
    """What `read` gives, or what it gave an earlier time for the same content.

    Parameters
    ----------
    fingerprint : callable
        Gives the key of the source's present content.
    read : callable
        Decodes the source: the splits, and notes on what was assumed.

    Returns
    -------
    splits : dict of str to Split
        The decoded splits.
    notes : tuple of str
        Those of `read`; one more where the splits could not be kept for the next time.
    """
    key = fingerprint()
    file = cache_folder() / f"{_FORMAT}-{key}.safetensors"
    if (known := _load(file)) is not None:
        return known
    splits, notes = read()
    if fingerprint() != key:  # the source changed under our hands
        return splits, notes
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        _save(splits, notes, file)
    except (OSError, InputError, SafetensorError) as error:
        return splits, (
            *notes,
            f"The decoded images could not be kept in {file.parent} ({error}), so the next start"
            " reads the source again; MINICNN_CACHE_DIR names another folder.",
        )
    return splits, notes


def _save(splits: Splits, notes: tuple[str, ...], path: Path) -> None:
    tensors = {}
    for name, split in splits.items():
        tensors[f"{name}.images"] = split.images
        tensors[f"{name}.labels"] = split.labels
        if split.sources is not None:
            tensors[f"{name}.sources"] = _as_numbers(split.sources)
    write_tensors(path, _FORMAT, {"notes": list(notes)}, tensors)


def _load(path: Path) -> tuple[Splits, tuple[str, ...]] | None:
    """What `_save` wrote to `path`; None if there is no such file, or its content is not that."""
    try:
        header, tensors = read_tensors(path, _FORMAT)
    except InputError:
        return None
    names = ("train", "validation", "test")
    notes = header.get("notes")
    if not isinstance(notes, list) or not all(isinstance(note, str) for note in notes):
        return None
    if not all(_fit(tensors, name) for name in names):
        return None
    return {name: _split(tensors, name) for name in names}, tuple(notes)


def _fit(tensors: Mapping[str, np.ndarray], name: str) -> bool:
    """Whether the arrays of a split are what `Split` asks for: whoever wrote them knew the sum."""
    nothing = np.empty(0)
    images, labels = tensors.get(f"{name}.images", nothing), tensors.get(f"{name}.labels", nothing)
    sources = tensors.get(f"{name}.sources", np.zeros((labels.size, 1), np.uint32))
    return bool(
        (images.dtype, labels.dtype, sources.dtype) == (np.uint8, np.int64, np.uint32)
        and images.shape == (labels.size, IMAGE_SIZE, IMAGE_SIZE)
        and labels.ndim == 1
        and ((labels >= 0) & (labels < len(EMOTIONS))).all()
        and sources.ndim == 2
        and len(sources) == len(labels)
        and sources.shape[1] > 0
        and (sources <= sys.maxunicode).all()
    )


def _split(tensors: Mapping[str, np.ndarray], name: str) -> Split:
    sources = tensors.get(f"{name}.sources")
    return Split(
        tensors[f"{name}.images"],
        tensors[f"{name}.labels"],
        None if sources is None else _as_text(sources),
    )


def _as_numbers(texts: np.ndarray) -> np.ndarray:
    """Texts, str ``(N,)``, as their code points, uint32 ``(N, length)``: tensors hold no text."""
    return texts[:, np.newaxis].view(np.uint32)


def _as_text(numbers: np.ndarray) -> np.ndarray:
    """What `_as_numbers` was given."""
    return numbers.view(f"U{numbers.shape[1]}")[:, 0]
