"""Paths as users write them."""

import os
from pathlib import Path


def as_path(path: str | os.PathLike) -> Path:
    """A path; a ``~`` or ``~name`` at its start is a home folder, unless such a file exists.

    A shell replaces ``~`` at the start of a word only; in an experiment's file or a notebook
    nobody does.

    Parameters
    ----------
    path : path

    Returns
    -------
    Path
    """
    path = Path(path)
    try:
        return path if path.exists() else path.expanduser()
    except (OSError, RuntimeError):  # a name that is too long; a user without a home
        return path
