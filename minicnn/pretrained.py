"""Weights that come with the package, by name."""

from importlib import resources
from pathlib import Path


def pretrained_names() -> list[str]:
    """Names of the networks that come trained, sorted."""
    return sorted(file.stem for file in _folder().glob("*.safetensors"))


def pretrained_path(name: str) -> Path:
    """The safetensors file of such a network."""
    return _folder() / f"{name}.safetensors"


def _folder() -> Path:
    return Path(str(resources.files("minicnn") / "weights"))
