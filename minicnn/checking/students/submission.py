"""The functions of a student's file that can be checked, and those that are not looked at."""

import ast
import re
import sys
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any

from minicnn.checking.students.classes.pairs import class_pairs, why_not
from minicnn.checking.students.dialects import CONVENTIONS
from minicnn.checking.students.loading.run import Submission
from minicnn.checking.students.pair import Pair, parameters


def find_pairs(submission: Submission, builds: Sequence[str] = ()) -> list[Pair]:
    """The functions of a file that a dialect knows, in the catalogue's order, and its classes.

    Parameters
    ----------
    submission : Submission
    builds : sequence of str
        How classes are built, where their arguments' names do not say it.

    Raises
    ------
    InputError
        Where something of that is wrong.
    """
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
        if convention.among and own.keys().isdisjoint(convention.among):
            continue
        asked = [convention.fits(parameters(forward))] if forward else []
        if backwards and (not forward or convention.told_by_backward):
            asked.append(convention.fits_backward(parameters(next(iter(backwards.values())))))
        if all(asked):
            pairs.append(Pair(convention, forward, backwards))
    return pairs + class_pairs(own, submission.path, builds)


def _is_own(value: Any, module: ModuleType) -> bool:
    """Whether a value is something callable that the file defines, or one beside or below it."""
    if not callable(value) or isinstance(value, ModuleType):
        return False
    home = getattr(value, "__module__", None)
    if home in (None, module.__name__, "functools"):
        return True
    if str(home).partition(".")[0] == "minicnn":
        return False
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
    judged = {name.partition(".")[0] for pair in pairs for name in pair.names}
    bases = {base.id for node in _definitions(submission.trees) if isinstance(node, ast.ClassDef)
             for base in node.bases if isinstance(base, ast.Name)}
    known = {name for each in CONVENTIONS for name in (each.forward, *each.backwards)} - judged
    left = []
    for node in _definitions(submission.trees):
        if node.name in judged | bases or node.name.startswith("_"):
            continue
        why = why_not(node.name, vars(submission.module).get(node.name))
        if why:
            left.append(f"{node.name} ({why})")
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
