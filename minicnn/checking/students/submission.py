"""A student's file: loading it, and finding the functions in it that can be checked."""

import importlib.util
import inspect
import sys
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from minicnn.checking.students.convention import Convention
from minicnn.checking.students.dialects import CONVENTIONS
from minicnn.errors import InputError

MODULE_NAME = "submission"


@dataclass(frozen=True)
class Pair:
    """A forward and its backwards as a file has them; either may be missing."""

    convention: Convention
    forward: Callable[..., Any] | None
    backwards: dict[str, Callable[..., Any]]

    @property
    def names(self) -> list[str]:
        """The functions' names, forward first."""
        return [self.convention.forward] * (self.forward is not None) + list(self.backwards)


def load(path: Path) -> ModuleType:
    """Run a student's file as a module named ``submission``.

    What it tells NumPy and Python to warn of, or to raise for, holds for itself alone.

    Raises
    ------
    InputError
        Where it cannot be read or ends with an error, whatever that is; the message names the line.
    """
    specification = importlib.util.spec_from_file_location(MODULE_NAME, path)
    if specification is None or specification.loader is None:
        raise InputError(f"{path}: expected a Python file, named .py")
    module = importlib.util.module_from_spec(specification)
    sys.modules[MODULE_NAME] = module  # dataclasses look their module up
    sys.path.insert(0, str(path.parent))
    sys.dont_write_bytecode = True
    try:
        with np.errstate(), warnings.catch_warnings():
            specification.loader.exec_module(module)
    except SystemExit as error:
        raise InputError(f"{path}: the file ends the program when it is imported "
                         f"(sys.exit({error.code!r}))") from None
    except BaseException as error:
        raise InputError(f"{path}: {describe(error, path)}") from None
    return module


def describe(error: BaseException, path: Path) -> str:
    """An exception as one line, with the line of the student's file that it came from."""
    name = type(error).__name__
    try:
        text = " ".join(str(error).split())
    except Exception:
        text = "(its text cannot be had)"
    text = text if len(text) <= 300 else text[:300] + " …"
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return f"line {error.lineno}: {name}: {error.msg}"
    lines = [
        frame.lineno for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == str(path)
    ]
    where = f"line {lines[-1]}: " if lines else ""
    return f"{where}{name}{': ' if text else ''}{text}"


def find_pairs(module: ModuleType) -> list[Pair]:
    """The functions of a module that a dialect knows, in the catalogue's order."""
    own = {name: value for name, value in vars(module).items() if _is_own(value, module)}
    pairs = []
    for convention in CONVENTIONS:
        forward = own.get(convention.forward)
        backwards = {name: own[name] for name in convention.backwards if name in own}
        first = forward or next(iter(backwards.values()), None)
        if first is None or convention.unless in own:
            continue
        names = parameters(first)
        if convention.fits(names) if forward else convention.fits_backward(names):
            pairs.append(Pair(convention, forward, backwards))
    return pairs


def parameters(function: Callable[..., Any]) -> dict[str, inspect.Parameter] | None:
    """A function's parameters by name; None where Python cannot tell.

    A decorator that hides them behind ``*args, **kwargs`` keeps the function it wraps in its
    closure.
    """
    try:
        found = dict(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return None
    if {each.kind for each in found.values()} <= {
        inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD
    }:
        for cell in getattr(function, "__closure__", None) or ():
            if inspect.isfunction(cell.cell_contents):
                return parameters(cell.cell_contents)
    return found


def _is_own(value: Any, module: ModuleType) -> bool:
    """Whether a value is something callable that the file, or one beside it, defines."""
    if not callable(value) or isinstance(value, ModuleType):
        return False
    home = getattr(value, "__module__", None)
    if home in (None, MODULE_NAME, "functools"):
        return True
    file = getattr(sys.modules.get(home), "__file__", None)
    return file is not None and Path(file).parent == Path(str(module.__file__)).parent
