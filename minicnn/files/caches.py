"""Where the library keeps what it can make again."""

import os
import tempfile
from pathlib import Path


def cache_folder() -> Path:
    """The folder for decoded data and compiled kernels.

    The environment variable ``MINICNN_CACHE_DIR``, otherwise ``minicnn`` in ``XDG_CACHE_HOME``,
    otherwise ``~/.cache/minicnn``; for a user without a home, ``minicnn`` in the folder for
    temporary files.

    Returns
    -------
    Path
        Perhaps of a folder that does not exist yet.
    """
    caches = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache")
    folder = Path(os.environ.get("MINICNN_CACHE_DIR") or caches / "minicnn")
    try:
        return folder.expanduser()
    except RuntimeError:  # a user without a home
        return Path(tempfile.gettempdir()) / "minicnn"
