"""Arrays and a JSON header in one safetensors file: what models and checkpoints are stored in.

The format is https://huggingface.co/docs/safetensors: no code can hide in it, and any tool of its
ecosystem reads it. The header stands under one key, ``"minicnn"``, so that equal contents give
equal bytes; it holds a checksum of itself and of the arrays, which tells a damaged file from a
foreign one.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from minicnn.errors import InputError
from minicnn.files.nesting import MOST_NESTED, too_deep
from minicnn.files.reading import require_file
from minicnn.files.writing import atomic_path

HEADER_KEY = "minicnn"

MOST_HEADER = 2**24
"""Bytes of a header; a network of a hundred layers needs a thousandth of it."""


def write_tensors(
    path: str | os.PathLike, kind: str, header: Mapping[str, Any], tensors: Mapping[str, Any],
    keep_as: str | os.PathLike | None = None,
) -> None:
    """Write all of the file or nothing.

    Parameters
    ----------
    path : path
    kind : str
        What the file is, for example ``"model"``; `read_tensors` asks for it again.
    header : mapping
        JSON-ready values.
    tensors : mapping of str to array
    keep_as : path, optional
        Another name under which the earlier file is kept.

    Raises
    ------
    ValueError
        Where the header holds NaN or infinity, which JSON does not know.
    TypeError, InputError
        Where `read_tensors` would refuse the file: for arrays of other things than real numbers, a
        header that is nested too deep or too long.
    """
    from safetensors.numpy import save

    arrays = {name: np.asarray(array, order="C") for name, array in tensors.items()}
    _require_real(arrays)
    content = {"kind": kind, **header}
    if too_deep(content):
        raise InputError(f"{path}: a {kind} cannot have a header of tables and lists more than "
                         f"{MOST_NESTED} deep")
    text = _json({**content, "checksum": _checksum(content, arrays)})
    encoded = save(arrays, {HEADER_KEY: text})
    if (length := _header_length(encoded)) > MOST_HEADER:
        raise InputError(f"{path}: a {kind} cannot have a header of more than {MOST_HEADER:,} "
                         f"bytes, got {length:,}; what was there before is as it was")
    with atomic_path(path, keep_as) as temporary:
        temporary.write_bytes(encoded)


def _require_real(arrays: Mapping[str, np.ndarray]) -> None:
    """Refuse complex numbers, and types that some package has taught NumPy."""
    for name, array in arrays.items():
        if array.dtype.kind not in "biuf":
            raise TypeError(f"{name}: expected real numbers, got type {array.dtype}")


def _json(header: Mapping[str, Any]) -> str:
    return json.dumps(header, sort_keys=True, allow_nan=False)


def _checksum(header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> str:
    """SHA-256 of a header and of every array's name, dtype, shape and bytes."""
    digest = hashlib.sha256(_json(header).encode())
    for name, array in sorted(arrays.items()):
        digest.update(f"\n{name} {array.dtype} {array.shape}\n".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _is_whole(checksum: Any, header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> bool:
    """Whether a file's checksum is that of its content."""
    return checksum == _checksum(header, arrays)


def read_tensors(
    path: str | os.PathLike, kind: str
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The header and the arrays of a file that `write_tensors` wrote as this kind.

    Nothing is larger than the file: a header of more than `MOST_HEADER` bytes is not parsed, and
    the arrays' declared places must fill the rest exactly.

    Raises
    ------
    InputError
        Where there is no such file, it is damaged, or it is something else.
    """
    from safetensors import SafetensorError, safe_open

    path = require_file(path, f"a minicnn {kind} (.safetensors)")
    try:
        _require_short_header(path, kind)
        with safe_open(path, framework="numpy") as file:
            text = (file.metadata() or {}).get(HEADER_KEY)
            header = None if text is None else json.loads(text, parse_constant=_refuse)
            if not isinstance(header, dict) or header.get("kind") != kind:
                found = header.get("kind") if isinstance(header, dict) else "no header of minicnn"
                raise InputError(f"{path}: expected a minicnn {kind}, got {found}")
            if too_deep(header):
                raise InputError(f"{path}: expected a header of tables and lists at most "
                                 f"{MOST_NESTED} deep, got deeper ones")
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            _require_real(arrays)
            checksum = header.pop("checksum", None)
            whole = _is_whole(checksum, header, arrays)
    except InputError:
        raise
    # the last three: safetensors, of a dtype or a shape that NumPy does not know
    except (SafetensorError, RecursionError, OSError, ValueError, TypeError,
            AttributeError) as error:
        raise InputError(f"{path}: expected a minicnn {kind}, got a damaged or foreign file "
                         f"({error})") from error
    if not whole:
        raise InputError(f"{path}: expected a minicnn {kind}, got a damaged file "
                         f"({'no checksum' if checksum is None else 'its checksum differs'})")
    return header, arrays


def _header_length(content: bytes) -> int:
    """How many bytes of header a safetensors file declares."""
    return int.from_bytes(content[:8], "little")


def _require_short_header(path: Path, kind: str) -> None:
    """Refuse a header that is declared longer than `MOST_HEADER`."""
    with path.open("rb") as stream:
        length = _header_length(stream.read(8))
    if length > MOST_HEADER:
        raise InputError(f"{path}: expected a minicnn {kind}, got a damaged or foreign file "
                         f"(a header of {length:,} bytes)")


def _refuse(constant: str) -> None:
    """Refuse what JSON does not know, and Python reads in it."""
    raise ValueError(f"its header holds {constant}")
