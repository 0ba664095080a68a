"""minicnn itself, packed as it is installed here, for a machine that can install it nowhere else.

Source of the format: https://packaging.python.org/en/latest/specifications/binary-distribution-format/
"""

import base64
import hashlib
import io
import zipfile
from collections.abc import Container, Mapping
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from minicnn import __version__
from minicnn.errors import InputError

PACKAGE = Path(__file__).parents[2]

LEFT_OUT = (".pyc", ".nbi", ".nbc", ".safetensors")
"""Endings of what is made by running it, and of the weights, which no check needs."""


def wheel_name() -> str:
    """The file name by which pip knows name and version."""
    return f"minicnn-{__version__}-py3-none-any.whl"


def wheel() -> bytes:
    """The package, without its weights; the same bytes every time.

    Returns
    -------
    bytes
        Of a file that pip installs.

    Raises
    ------
    InputError
        Where minicnn was not installed, so that what it depends on is not known.
    """
    information = f"minicnn-{__version__}.dist-info"
    files = {
        path.relative_to(PACKAGE.parent).as_posix(): path.read_bytes()
        for path in sorted(PACKAGE.rglob("*")) if path.is_file() and path.suffix not in LEFT_OUT
    }
    files |= {
        f"{information}/METADATA": _metadata().encode(),
        f"{information}/WHEEL": b"Wheel-Version: 1.0\nGenerator: minicnn\nRoot-Is-Purelib: true\n"
                                b"Tag: py3-none-any\n",
        f"{information}/entry_points.txt": b"[console_scripts]\nminicnn = minicnn.cli:main\n",
    }
    record = [f"{name},sha256={_digest(data)},{len(data)}" for name, data in files.items()]
    record.append(f"{information}/RECORD,,\n")
    return zipped({**files, f"{information}/RECORD": "\n".join(record).encode()})


def zipped(files: Mapping[str, bytes], executable: Container[str] = ()) -> bytes:
    """Files in a zip archive, with a fixed date; those named may be executed."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name)
            entry.create_system = 3  # Unix, on which alone there are such permissions
            entry.external_attr = (0o100755 if name in executable else 0o100644) << 16
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def _metadata() -> str:
    """Name, version, and what has to be installed beside it."""
    try:
        installed = distribution("minicnn")
    except PackageNotFoundError:
        raise InputError("minicnn is not installed here, so that what it depends on is not known; "
                         "install it with pip") from None
    needed = [line for line in installed.requires or () if "extra ==" not in line]
    return "\n".join([
        "Metadata-Version: 2.1", "Name: minicnn", f"Version: {__version__}",
        f"Requires-Python: {installed.metadata['Requires-Python']}",
        *(f"Requires-Dist: {line}" for line in needed), "",
    ])


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
