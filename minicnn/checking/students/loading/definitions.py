"""What of a program defines something, and what runs it: the first is kept."""

import ast
import builtins
from collections.abc import Sequence

_FUNCTIONS = frozenset(dir(builtins)) - {
    "input", "open", "print", "exec", "eval", "exit", "quit", "breakpoint", "help",
}
"""Built-in functions that a constant may call."""

_MODULES = frozenset({
    "collections", "dataclasses", "enum", "functools", "itertools", "math", "numba", "numpy",
    "operator", "random", "re", "string", "types", "typing",
})
"""Modules whose functions a constant may call: they read nothing and take no time."""

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def definitions(body: Sequence[ast.stmt], own: set[str], imported: set[str]) -> list[ast.stmt]:
    """Of statements, those that import, define, or give a constant its value.

    Parameters
    ----------
    body : sequence of ast.stmt
    own : set of str
        Names of functions and classes of the program itself, whose calls are left out.
    imported : set of str
        Names that imports gave whose functions a constant may call.
    """
    kept: list[ast.stmt] = []
    for statement in body:
        if isinstance(statement, Definition | ast.Import | ast.ImportFrom):
            kept.append(statement)
        elif isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):
            if statement.value is None or _is_constant(statement.value, own, imported):
                kept.append(statement)
        elif isinstance(statement, ast.If):
            kept += _branch(statement, own, imported)
        elif isinstance(statement, ast.Try):
            statement.body = definitions(statement.body, own, imported)
            statement.orelse = definitions(statement.orelse, own, imported)
            statement.finalbody = definitions(statement.finalbody, own, imported)
            for handler in statement.handlers:
                handler.body = definitions(handler.body, own, imported) or [ast.Pass()]
            if statement.body:
                kept.append(statement)
    return kept


def definitions_of_main(
    body: Sequence[ast.stmt], own: set[str], imported: set[str]
) -> list[ast.stmt]:
    """Likewise, of what stands in ``if __name__ == "__main__"`` only."""
    return [
        kept for statement in body if isinstance(statement, ast.If) and _is_main(statement.test)
        for kept in _branch(statement, own, imported)
    ]


def _branch(statement: ast.If, own: set[str], imported: set[str]) -> list[ast.stmt]:
    """An ``if`` that defines; of ``if __name__ == "__main__"`` what stands in it."""
    body = definitions(statement.body, own, imported)
    otherwise = definitions(statement.orelse, own, imported)
    if _is_main(statement.test):
        return body if any(isinstance(each, Definition) for each in body) else []
    if (not body and not otherwise) or not _is_constant(statement.test, own, imported):
        return []
    statement.body, statement.orelse = body or [ast.Pass()], otherwise
    return [statement]


def _is_main(test: ast.expr) -> bool:
    return any(isinstance(node, ast.Name) and node.id == "__name__" for node in ast.walk(test))


def _is_constant(value: ast.expr, own: set[str], imported: set[str]) -> bool:
    """Whether it calls nothing but what Python and its mathematics have."""
    of_lambdas = {
        id(node) for each in ast.walk(value) if isinstance(each, ast.Lambda)
        for node in ast.walk(each.body)
    }
    called = {
        _root(node.func) for node in ast.walk(value)
        if isinstance(node, ast.Call) and id(node) not in of_lambdas
    }
    return not called & own and called <= imported | _FUNCTIONS


def _root(function: ast.expr) -> str:
    """The first name of ``a.b(c).d``; that of a built-in function for a literal."""
    while isinstance(function, ast.Attribute | ast.Subscript | ast.Call):
        function = function.func if isinstance(function, ast.Call) else function.value
    return function.id if isinstance(function, ast.Name) else "str"


def names_defined(body: Sequence[ast.stmt]) -> set[str]:
    """Names of the functions and classes that a program defines, at any depth."""
    return {
        node.name for statement in body for node in ast.walk(statement)
        if isinstance(node, Definition)
    }


def names_of_mathematics(body: Sequence[ast.stmt]) -> set[str]:
    """Names that a program imports, at any depth, of modules that a constant may call."""
    names = set()
    for node in (node for statement in body for node in ast.walk(statement)):
        if isinstance(node, ast.Import):
            names |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names
                      if alias.name.partition(".")[0] in _MODULES}
        elif isinstance(node, ast.ImportFrom) and str(node.module).partition(".")[0] in _MODULES:
            names |= {alias.asname or alias.name for alias in node.names}
    return names
