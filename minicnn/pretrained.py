"""Weights that come with the package, by name."""

import os
from importlib import resources
from pathlib import Path


def pretrained_names() -> list[str]:
    """Names of the networks that come trained, sorted."""
    return sorted(file.stem for file in _folder().glob("*.safetensors"))


def pretrained_path(name: str) -> Path:
    """The safetensors file of such a network."""
    return _folder() / f"{name}.safetensors"


def model_path(name_or_path: str | os.PathLike) -> Path:
    """A model's own path, or, where nothing lies there, that of the package's network so named."""
    path = Path(name_or_path)
    if not path.exists() and str(name_or_path) in pretrained_names():
        return pretrained_path(str(name_or_path))
    return path


def _folder() -> Path:
    return Path(str(resources.files("minicnn") / "weights"))
