"""The text of a student's file, in the pieces that Python compiles."""

import linecache
import tokenize
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from minicnn.checking.students.loading.notebook import code_cells, without_magics
from minicnn.errors import InputError

NOTEBOOK = ".ipynb"


@dataclass(frozen=True)
class Piece:
    """What is compiled as one: a file, or a cell of a notebook.

    Attributes
    ----------
    filename : str
        What tracebacks call it: the file's path, and for a cell ``"PATH, cell 3"``.
    text : str
    """

    filename: str
    text: str


def read_pieces(path: Path) -> list[Piece]:
    """Read a file, or the code of a notebook, and let tracebacks and `inspect` know its lines.

    Raises
    ------
    InputError
        Where it cannot be read, or is no notebook of Python.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None
    text = _decoded(data)
    if path.suffix == NOTEBOOK:
        pieces = [
            Piece(f"{path}, cell {number}", without_magics(cell))
            for number, cell in enumerate(code_cells(path, text), start=1)
        ]
    else:
        pieces = [Piece(str(path), text)]
    for piece in pieces:
        lines = piece.text.splitlines(keepends=True)
        linecache.cache[piece.filename] = (len(piece.text), None, lines, piece.filename)
    return pieces


def _decoded(data: bytes) -> str:
    """Text in the encoding that it declares, else UTF-8, else Latin-1, which reads everything."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    else:
        try:
            encoding = tokenize.detect_encoding(BytesIO(data).readline)[0]
        except SyntaxError:
            encoding = "latin-1"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n")
