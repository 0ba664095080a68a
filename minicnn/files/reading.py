"""Reading files with a limit, and finding the places that a user names."""

import os
from pathlib import Path

from minicnn.errors import InputError
from minicnn.files.paths import as_path
from minicnn.files.writing import sync_folder

_BLOCK = 2**20


def require_file(path: str | os.PathLike, what: str) -> Path:
    """`path` as a `Path`, or an `InputError` that says why it is not a readable file."""
    path = as_path(path)
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
    path = as_path(path)
    there = next((place for place in (path, *path.parents) if place.exists()), path)
    if there.is_file():
        raise InputError(f"{path}: expected {what}, got a file where a folder belongs")
    return path


def require_folder(path: str | os.PathLike, what: str) -> Path:
    """`path` as a folder that exists from now on, or an `InputError` that says why it cannot."""
    path = require_place(path, what)
    try:
        path.mkdir(parents=True, exist_ok=True)
        sync_folder(path.parent)
    except OSError as error:
        raise InputError(f"{path}: cannot make {what}: {error.strerror}") from error
    return path
