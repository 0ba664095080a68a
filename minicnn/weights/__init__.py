"""Weights that come with the package, by name."""

import os
from importlib import resources
from pathlib import Path

from minicnn.errors import InputError
from minicnn.files.paths import as_path


def pretrained_names() -> list[str]:
    """Names of the networks that come trained, sorted."""
    return sorted(file.stem for file in _folder().glob("*.safetensors"))


def pretrained_path(name: str) -> Path:
    """The safetensors file of such a network."""
    return _folder() / f"{name}.safetensors"


def model_path(name_or_path: str | os.PathLike) -> Path:
    """A model's own path, or, where nothing lies there, that of the package's network so named.

    Raises
    ------
    InputError
        Where nothing lies there, and what looks like a name is none.
    """
    path = as_path(name_or_path)
    if path.exists():
        return path
    if str(name_or_path) in pretrained_names():
        return pretrained_path(str(name_or_path))
    if not path.suffix:
        names = ", ".join(pretrained_names()) or "no names"
        raise InputError(
            f"{name_or_path}: expected a model (.safetensors), the folder of a run or one of "
            f"{names}, but there is no such file, folder or name"
        )
    return path


def _folder() -> Path:
    return Path(str(resources.files("minicnn.weights")))
