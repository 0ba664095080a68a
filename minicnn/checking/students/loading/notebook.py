"""A Jupyter notebook's code, without what is for IPython alone."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from minicnn.errors import InputError

STILL_PYTHON = ("time", "timeit", "capture", "prun", "python", "python3", "check")
"""Magics of whole cells whose body is code of the notebook all the same."""

_MAGIC = re.compile(
    r"\s*([%!?]|[\w.]+\s*=\s*[%!]"  # %matplotlib inline, !ls, files = !ls, t = %timeit -o f()
    r"|[\w.]+\?{1,2}\s*$)"  # conv_forward?
)


def code_cells(path: Path, text: str) -> Iterator[str]:
    """The code of a notebook's cells, in their order; formats 3 and 4 are known.

    Raises
    ------
    InputError
        Where the text is no notebook, or one in another language.
    """
    if not text.strip():
        raise InputError(f"{path}: expected a notebook, found an empty file")
    try:
        notebook = json.loads(text)
    except (ValueError, RecursionError) as error:
        where = f"line {error.lineno}: " if isinstance(error, json.JSONDecodeError) else ""
        raise InputError(f"{path}: expected a notebook, which is JSON; {where}it is damaged. "
                         "Save it again in Jupyter") from None
    if not isinstance(notebook, dict):
        raise InputError(f"{path}: expected a notebook, found other JSON")
    language = _language(notebook)
    if language and not language.startswith("python"):
        raise InputError(f"{path}: expected a notebook in Python, found one in {language}")
    sheets = notebook.get("worksheets", [notebook])  # format 3 has them
    if not isinstance(sheets, list):
        sheets = []
    cells = [cell for sheet in sheets if isinstance(sheet, dict)
             for cell in _list(sheet.get("cells")) if isinstance(cell, dict)]
    if not cells:
        raise InputError(f"{path}: expected a notebook, found no cells in it")
    for cell in cells:
        if cell.get("cell_type") == "code":
            source = cell.get("source", cell.get("input", ""))
            yield source if isinstance(source, str) else "".join(map(str, _list(source)))


def without_magics(code: str) -> str:
    """A cell's code in which lines for IPython are ``pass``; the others keep their numbers.

    A line for IPython is no Python: only where Python refuses a line is it looked at.
    """
    lines = code.splitlines()
    first = next((number for number, line in enumerate(lines) if line.strip()), None)
    if first is not None and lines[first].lstrip().startswith("%%"):
        if lines[first].split()[0].removeprefix("%%") not in STILL_PYTHON:
            return ""
        lines[first] = ""
    while True:
        try:
            compile("\n".join(lines), "", "exec", dont_inherit=True)
        except SyntaxError as error:
            number = (error.lineno or 0) - 1
            if not 0 <= number < len(lines) or not _MAGIC.match(lines[number]):
                break
            line = lines[number]
            lines[number] = line[:len(line) - len(line.lstrip())] + "pass"
        except (ValueError, RecursionError, MemoryError):
            break
        else:
            break
    return "\n".join(lines) + "\n"


def _language(notebook: dict[str, Any]) -> str:
    """The language that a notebook says it is in, in small letters; empty where it says nothing."""
    language: Any = notebook.get("metadata")
    for key in ("kernelspec", "language"):
        language = language.get(key) if isinstance(language, dict) else None
    return language.lower() if isinstance(language, str) else ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
