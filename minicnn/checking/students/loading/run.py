"""Running a student's file as a module: as a whole, or what of it defines something."""

import __future__

import ast
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, ModuleType

import numpy as np

from minicnn.checking.students.loading.absent import AbsentModules, forget, stand_in
from minicnn.checking.students.loading.definitions import (
    definitions,
    definitions_of_main,
    names_defined,
    names_of_mathematics,
)
from minicnn.checking.students.loading.errors import describe
from minicnn.checking.students.loading.notebook import without_magics
from minicnn.checking.students.loading.source import NOTEBOOK, Piece, read_pieces
from minicnn.checking.students.loading.surroundings import enter
from minicnn.errors import InputError

MOST_ABSENT = 20
"""Absent modules that are stood for."""


@dataclass
class Submission:
    """A student's file that has been run.

    Attributes
    ----------
    path : Path
    module : ModuleType
        It, as it stands in ``sys.modules``.
    trees : list of ast.Module
        The syntax of its pieces.
    notes : list of str
        What was left out, or is not here.
    failure : str or None
        Why the whole could not be run, so that only what defines something was.
    """

    path: Path
    module: ModuleType
    trees: list[ast.Module]
    notes: list[str] = field(default_factory=list)
    failure: str | None = None


def load(path: Path, *, whole: bool = True) -> Submission:
    """Run a student's file; of a notebook, and where the whole fails, only what defines.

    What it tells NumPy and Python to warn of, or to raise for, holds for itself alone.

    Parameters
    ----------
    path : Path
    whole : bool, default True
        Whether to try all of it first.

    Raises
    ------
    InputError
        Where it cannot be read, or Python refuses its grammar; the message names the line.
    """
    path = path.absolute()
    pieces, trees, notes = _parse(path)
    sys.dont_write_bytecode = True
    forget()
    with np.errstate(), warnings.catch_warnings():
        loaded = Submission(path, enter(path, trees), trees, notes)
        if path.suffix == NOTEBOOK or not whole:
            _run_definitions(loaded, pieces, definitions)
            return loaded
        loaded.failure = _run_whole(loaded, pieces[0])
        if loaded.failure:
            _run_definitions(loaded, pieces, definitions)
            loaded.notes = [note for note in loaded.notes if not note.startswith(loaded.failure)]
        else:
            _run_definitions(loaded, pieces, definitions_of_main)
    return loaded


def _parse(path: Path) -> tuple[list[Piece], list[ast.Module], list[str]]:
    """The pieces of a file, their syntax, and notes: a cell that Python refuses is left out."""
    pieces, trees = [], []
    notes: list[str] = []
    for piece in read_pieces(path):
        if path.suffix != NOTEBOOK:
            piece = _without_magics(piece, notes)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of "\d" in a string, say
                trees.append(ast.parse(piece.text, piece.filename))
                pieces.append(piece)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            if path.suffix != NOTEBOOK:
                raise InputError(f"{path}: {describe(error, path)}") from None
            notes.append(f"{describe(error, path)}; this cell was left out")
    return pieces, trees, notes


def _without_magics(piece: Piece, notes: list[str]) -> Piece:
    """A file that was saved from a notebook, without its lines for IPython, which are noted."""
    text = without_magics(piece.text)
    changed = [
        number for number, (new, old) in
        enumerate(zip(text.splitlines(), piece.text.splitlines(), strict=False), start=1)
        if new != old
    ]
    if not changed:
        return piece
    lines = f"line{'s' * (len(changed) > 1)} {', '.join(map(str, changed[:5]))}"
    notes.append(f"{lines}: for IPython alone, which no Python file may have; left out")
    return Piece(piece.filename, text)


def _run_whole(loaded: Submission, piece: Piece) -> str | None:
    """Run a file as Python does; why it cannot be, or None.

    A module that is not here is stood for, and the file is run again.
    """
    finder = stand_in()
    while True:
        try:
            exec(compile(piece.text, piece.filename, "exec", dont_inherit=True),
                 vars(loaded.module))
        except SystemExit as error:
            return f"the file ends the program when it is imported (sys.exit({error.code!r}))"
        except BaseException as error:
            if not _stood_for(error, finder):
                return describe(error, loaded.path)
            loaded.notes.append(_absence(error, loaded.path))
        else:
            return None


def _run_definitions(
    loaded: Submission, pieces: Sequence[Piece],
    choose: Callable[[Sequence[ast.stmt], set[str], set[str]], list[ast.stmt]],
) -> None:
    """Run what is chosen, statement by statement; one that fails is left out."""
    body = [statement for tree in loaded.trees for statement in tree.body]
    own, imported, flags = names_defined(body), names_of_mathematics(body), _future(body)
    for piece, tree in zip(pieces, loaded.trees, strict=True):
        for statement in choose(tree.body, own, imported):
            try:
                alone = ast.fix_missing_locations(ast.Module([statement], []))
                code = compile(alone, piece.filename, "exec", flags, dont_inherit=True)
            except (SyntaxError, ValueError) as error:
                loaded.notes.append(f"{describe(error, loaded.path)}; this was left out")
                continue
            while not _run_statement(loaded, code):
                pass


def _run_statement(loaded: Submission, code: CodeType) -> bool:
    """Run one; whether there is no more to be tried."""
    try:
        exec(code, vars(loaded.module))
    except BaseException as error:
        again = _stood_for(error, stand_in())
        loaded.notes.append(
            _absence(error, loaded.path) if again else
            f"{describe(error, loaded.path)}; this statement was left out"
        )
        return not again
    return True


def _future(body: Sequence[ast.stmt]) -> int:
    """The compiler's flags that a program's ``from __future__ import`` sets."""
    return sum({
        getattr(__future__, alias.name).compiler_flag
        for statement in body
        if isinstance(statement, ast.ImportFrom) and statement.module == "__future__"
        for alias in statement.names if hasattr(__future__, alias.name)
    })


def _stood_for(error: BaseException, finder: AbsentModules) -> bool:
    """Whether an import failed of a module that is not here, and that is stood for from now on."""
    if not isinstance(error, ModuleNotFoundError) or not error.name:
        return False
    if error.name in finder.names or len(finder.names) == MOST_ABSENT:
        return False
    finder.names.append(error.name)
    return True


def _absence(error: BaseException, path: Path) -> str:
    return f"{describe(error, path)}; what uses it cannot be judged"
