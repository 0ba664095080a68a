"""What was handed in: whose it is, and which of its files hold functions that can be checked."""

import os
import re
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from minicnn.checking.classroom.points import known_functions
from minicnn.checking.students.loading.source import NOTEBOOK
from minicnn.errors import InputError
from minicnn.files.paths import as_path

ENDINGS = (".py", NOTEBOOK)
"""Of the files that can be checked."""

LARGEST = 10_000_000
"""Bytes of a file that is looked into; a longer one was not written by hand."""

_PASSED_OVER = re.compile(r"\..*|__.*__|__MACOSX|venv|node_modules|site-packages")
"""Names of files and folders that no student wrote."""

_DEFINITION = re.compile(rb"\bdef\s+(\w+)")

_METHODS = {b"forward", b"backward"}
"""Those of a class that can be checked."""


@dataclass(frozen=True)
class Submission:
    """The files of one student.

    Attributes
    ----------
    name : str
        Of the student, as far as a file or a folder tells.
    files : tuple of Path
        Those with functions that can be checked; where none has any, all that might have.
    folder : Path
        Files are named as seen from here.
    """

    name: str
    files: tuple[Path, ...]
    folder: Path


def shown(path: Path | str) -> str:
    """A path, or a part of one, as text that can be written: bytes that are no UTF-8 escaped."""
    text = path if isinstance(path, str) else path.as_posix()
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def submission_of(path: str | Path) -> Submission:
    """One student's submission: a file, or a folder with all files of an exercise.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    Submission
        Its name is the file's without its ending, or the folder's.
    """
    path = as_path(path)
    if not path.is_dir():
        return Submission(shown(path.stem), (path,), path.parent)
    files = _files(path)
    return Submission(shown(path.resolve().name), _with_functions(files) or files, path)


def submissions_in(folder: str | Path) -> list[Submission]:
    """The submissions of a class: each file of a folder is a student's, and each folder in it.

    Parameters
    ----------
    folder : str or Path

    Returns
    -------
    list of Submission
        In the order of their names. Two whose names would be equal keep the file's ending.

    Raises
    ------
    InputError
        Where it is no folder, cannot be read, or holds no submission.
    """
    folder = as_path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: expected a folder of submissions, found "
                         f"{'a file' if folder.exists() else 'nothing'}")
    found = [submission_of(path) for path in _entries(folder)
             if path.suffix in ENDINGS or (path.is_dir() and not _is_of_pages(path))]
    if not found:
        raise InputError(f"{folder}: found no submission; expected a file ({', '.join(ENDINGS)}) "
                         "or a folder for each student")
    often = Counter(submission.name for submission in found)
    return [
        each if often[each.name] == 1 else replace(each, name=(
            shown(each.files[0].name) if each.folder == folder else f"{each.name}/"
        )) for each in found
    ]


def passed_over(folder: str | Path) -> list[str]:
    """The files beside the submissions of a class that cannot be checked, such as archives.

    Parameters
    ----------
    folder : str or Path

    Returns
    -------
    list of str
        Their names, without tables and pages.
    """
    return [shown(path.name) for path in _entries(as_path(folder))
            if not path.is_dir() and path.suffix not in (*ENDINGS, ".csv", ".html")]


def _entries(folder: Path) -> list[Path]:
    """What lies in a folder, without what no student wrote."""
    return sorted(
        (path for path in folder.iterdir() if not _PASSED_OVER.fullmatch(path.name)), key=_order)


def _is_of_pages(folder: Path) -> bool:
    """Whether a folder holds nothing but pages, as that of an earlier look at the class does."""
    inside = list(folder.iterdir())
    return bool(inside) and all(path.suffix == ".html" for path in inside)


def _order(path: Path) -> tuple[list[tuple[bool, int, str]], str]:
    """Names as people sort them: without regard to case, and 2 before 10."""
    parts = re.findall(r"\d+|\D+", path.name.casefold())
    return [
        (False, int(part), "") if part.isdecimal() else (True, 0, part) for part in parts
    ], path.name


def _files(folder: Path) -> tuple[Path, ...]:
    """Files below a folder that might hold functions, without those that no student wrote."""
    found = []
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(
            name for name in folders
            if not _PASSED_OVER.fullmatch(name) and not Path(here, name, "pyvenv.cfg").exists()
        )
        found += [Path(here, name) for name in sorted(names)
                  if Path(name).suffix in ENDINGS and not _PASSED_OVER.fullmatch(name)]
    return tuple(found)


def _with_functions(files: tuple[Path, ...]) -> tuple[Path, ...]:
    """Those that define a function of a known name, or a class with a forward and a backward.

    It is their text that tells: none of them is run.
    """
    known = {name.encode() for name in known_functions()}
    return tuple(
        path for path in files
        if known.intersection(defined := _definitions(path)) or defined >= _METHODS
    )


def _definitions(path: Path) -> set[bytes]:
    try:
        if not path.is_file() or path.stat().st_size > LARGEST:
            return set()
        return set(_DEFINITION.findall(path.read_bytes()))
    except OSError:
        return set()
