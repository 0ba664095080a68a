"""Whether a function is written yet, as its source tells: names that nothing but None was put in.

Starters leave ``out = None`` and ``return out``; so do those who have not come to it.
"""

import ast
import inspect
import textwrap
from collections.abc import Callable
from typing import Any


def unfilled_names(function: Callable[..., Any]) -> set[str]:
    """The names inside a function that are assigned None, and nothing else anywhere."""
    tree = _tree(function)
    if tree is None:
        return set()
    stored = [node for node in ast.walk(tree) if isinstance(node, ast.Name)
              and isinstance(node.ctx, ast.Store)]
    empty = [node for statement in ast.walk(tree) for node in _given_none(statement)]
    filled = {node.id for node in stored if node not in empty}
    return {node.id for node in empty} - filled


def is_unwritten(function: Callable[..., Any]) -> bool:
    """Whether a function can only raise NotImplementedError, or return a None that nothing fills.

    False where its source cannot be had.
    """
    tree = _tree(function)
    if tree is None:
        return False
    body = [statement for statement in tree.body if not _says_nothing(statement)]
    if not body or _raises_not_implemented(body[0]):
        return True
    empty = unfilled_names(function)
    returned = [node.value for node in ast.walk(tree) if isinstance(node, ast.Return)]
    return bool(returned) and all(_is_none(value, empty) for value in returned)


def _tree(function: Callable[..., Any]) -> ast.FunctionDef | None:
    try:
        source = textwrap.dedent(inspect.getsource(inspect.unwrap(function)))
        (statement, *_) = ast.parse(source).body
    except (OSError, TypeError, ValueError, SyntaxError):
        return None
    return statement if isinstance(statement, ast.FunctionDef) else None


def _given_none(statement: ast.AST) -> list[ast.Name]:
    """The names that an assignment puts None in."""
    if not isinstance(statement, ast.Assign):
        return []
    names: list[ast.Name] = []
    for target in statement.targets:
        pairs = [(target, statement.value)]
        if isinstance(target, ast.Tuple) and isinstance(statement.value, ast.Tuple):
            pairs = list(zip(target.elts, statement.value.elts, strict=False))
        names += [name for name, value in pairs if isinstance(name, ast.Name)
                  and isinstance(value, ast.Constant) and value.value is None]
    return names


def _says_nothing(statement: ast.stmt) -> bool:
    """A docstring, an ellipsis, or pass."""
    return isinstance(statement, ast.Pass) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    )


def _raises_not_implemented(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Raise) and statement.exc is not None and (
        "NotImplementedError" in ast.unparse(statement.exc)
    )


def _is_none(value: ast.expr | None, empty: set[str]) -> bool:
    """Whether a returned value is None, or holds one that nothing fills."""
    if value is None or (isinstance(value, ast.Constant) and value.value is None):
        return True
    if isinstance(value, ast.Name):
        return value.id in empty
    return isinstance(value, ast.Tuple) and any(_is_none(part, empty) for part in value.elts)
