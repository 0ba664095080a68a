"""The file of a model: its arrays, the architecture that they belong to, and metadata."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicnn.errors import InputError
from minicnn.files.tensors import read_tensors, write_tensors

FORMAT_VERSION = 1

STORAGE = ("float16", "float32", "float64")
"""The dtypes in which a file may hold the numbers."""


@dataclass(frozen=True, eq=False)
class StoredModel:
    """What a model's file holds.

    Attributes
    ----------
    architecture : object
        What should be the config of a network; whoever builds the network checks it.
    arrays : dict of str to ndarray
        Parameters and running statistics by name, as they are stored.
    metadata : dict
    """

    architecture: Any
    arrays: dict[str, np.ndarray]
    metadata: dict[str, Any]

    @property
    def size(self) -> int:
        """How many numbers the arrays hold."""
        return sum(array.size for array in self.arrays.values())


def read_model(path: str | os.PathLike) -> StoredModel:
    """What a file that `write_model` wrote holds.

    Raises
    ------
    InputError
        Where there is no such file, it is damaged or something else, or of another version.
    """
    header, arrays = read_tensors(path, "model")
    if header.get("version") != FORMAT_VERSION:
        raise InputError(
            f"{path}: expected model format {FORMAT_VERSION}, got {header.get('version')!r}"
        )
    metadata = header.get("metadata", {})
    if not isinstance(metadata, dict):
        raise InputError(f"{path}: metadata: expected a table, got {metadata!r}")
    return StoredModel(header.get("architecture", {}), arrays, metadata)


def write_model(
    path: str | os.PathLike,
    architecture: Mapping[str, Any],
    arrays: Mapping[str, np.ndarray],
    metadata: Mapping[str, Any],
    storage: str,
) -> None:
    """Write all of a model's file or nothing.

    Parameters
    ----------
    path : path
    architecture : mapping
        JSON-ready values.
    arrays : mapping of str to ndarray
        Parameters and running statistics by name.
    metadata : mapping
        JSON-ready values.
    storage : {"float16", "float32", "float64"}
        How the numbers are stored.

    Raises
    ------
    ValueError
        For another storage, or one whose range a number exceeds.
    InputError
        Where the file cannot be written, or `read_model` would refuse its header: nested more than
        20 deep, or too long.
    """
    header = {"version": FORMAT_VERSION, "architecture": architecture, "metadata": metadata}
    write_tensors(path, "model", header, _stored(arrays, storage))


def _stored(arrays: Mapping[str, np.ndarray], storage: str) -> dict[str, np.ndarray]:
    """The arrays in the dtype in which they are stored."""
    if storage not in STORAGE:
        raise ValueError(f"save: storage must be float16, float32 or float64, got {storage!r}")
    own = {name: np.asarray(array) for name, array in arrays.items()}
    with np.errstate(over="ignore"):  # what becomes infinite is refused below
        stored = {name: array.astype(storage) for name, array in own.items()}
    for name, array in own.items():
        if (np.isfinite(array) & ~np.isfinite(stored[name])).any():
            raise ValueError(f"save: {name} holds numbers beyond the range of {storage}")
    return stored
