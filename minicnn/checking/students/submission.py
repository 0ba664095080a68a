"""The functions of a student's file that can be checked, and those that are not looked at."""

import ast
import inspect
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any

from minicnn.checking.students.convention import Convention
from minicnn.checking.students.dialects import CONVENTIONS
from minicnn.checking.students.loading.run import Submission


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


def find_pairs(submission: Submission) -> list[Pair]:
    """The functions of a file that a dialect knows, in the catalogue's order."""
    module = submission.module
    own = {name: value for name, value in vars(module).items() if _is_own(value, module)}
    pairs: list[Pair] = []
    for convention in CONVENTIONS:
        forward = own.get(convention.forward)
        backwards = {name: own[name] for name in convention.backwards if name in own}
        first = forward or next(iter(backwards.values()), None)
        taken = {name for pair in pairs for name in pair.names}
        if first is None or convention.unless in own or convention.forward in taken:
            continue
        asked = [convention.fits(parameters(forward))] if forward else []
        if backwards and (not forward or convention.told_by_backward):
            asked.append(convention.fits_backward(parameters(next(iter(backwards.values())))))
        if all(asked):
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
    """Whether a value is something callable that the file defines, or one beside or below it."""
    if not callable(value) or isinstance(value, ModuleType):
        return False
    home = getattr(value, "__module__", None)
    if home in (None, module.__name__, "functools"):
        return True
    file = getattr(sys.modules.get(str(home)), "__file__", None)
    folder = Path(str(module.__file__)).parent
    return file is not None and folder in Path(file).parents and "site-packages" not in file


# -- what is not looked at --------------------------------------------------------------------

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_OF_LAYERS = {
    "forward", "backward", "forwards", "backwards", "fwd", "bwd", "fprop", "bprop", "backprop",
    "loss", "cost", "update", "sgd", "adam", "rmsprop", "adagrad", "momentum", "nesterov",
}
_OF_HELPERS = {"numerical", "numeric", "check", "test", "plot", "eval", "rel", "main", "helper"}


def not_looked_at(submission: Submission, pairs: Sequence[Pair]) -> list[str]:
    """Functions and classes of the file itself that are written like layers and not judged.

    One whose name is nearly one that a dialect knows has that in brackets:
    ``"conv_foward_naive (conv_forward_naive?)"``.
    """
    judged = {name for pair in pairs for name in pair.names}
    known = {name for each in CONVENTIONS for name in (each.forward, *each.backwards)} - judged
    left = []
    for node in _definitions(submission.trees):
        if node.name in judged or node.name.startswith("_"):
            continue
        near = get_close_matches(node.name.lower(), known, n=1, cutoff=0.9)
        if near and near[0] != node.name:
            left.append(f"{node.name} ({near[0]}?)")
        elif _is_like_a_layer(node):
            left.append(node.name)
    return list(dict.fromkeys(left))


def _definitions(trees: Sequence[ast.Module]) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    """Functions and classes at the top of a file, or in an ``if`` or ``try`` there."""
    waiting: list[ast.AST] = list(trees)
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node
        elif isinstance(node, ast.Module | ast.If | ast.Try | ast.ExceptHandler | ast.With):
            waiting[:0] = ast.iter_child_nodes(node)


def _is_like_a_layer(node: ast.FunctionDef | ast.ClassDef) -> bool:
    """Whether its name says forward, backward, loss or update; of a class, a method's."""
    if isinstance(node, ast.ClassDef):
        methods = [each.name for each in node.body if isinstance(each, ast.FunctionDef)]
        return "forward" in methods and "backward" in methods
    words = {word.lower() for word in _WORDS.findall(node.name)}
    return bool(words & _OF_LAYERS) and not words & _OF_HELPERS
