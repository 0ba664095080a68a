"""Mutants of the reference: one change in one of its functions, as a hand could make it."""

import ast
import copy
import importlib
import inspect
import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

Change = Callable[[ast.AST], Iterator[ast.AST]]

SWAPPED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
    ast.Gt: ast.Lt, ast.Lt: ast.Gt, ast.GtE: ast.LtE, ast.LtE: ast.GtE,
}
"""Operators that are taken for each other."""

BARE = ("sqrt", "square", "exp", "expm1", "log", "abs")
"""Functions that are forgotten."""

TWINS = {"sum": "mean", "mean": "sum", "max": "min", "maximum": "minimum", "minimum": "maximum",
         "zeros": "ones", "zeros_like": "ones_like", "argmax": "argmin"}
"""Names that are taken for each other."""


@dataclass(frozen=True)
class Mutant:
    """One change of one file.

    Attributes
    ----------
    file : str
    function : str
        In which the change is.
    line : int
    kind : str
        A key of `KINDS`.
    before, after : str
        What is changed, as source.
    statement, changed : str
        The statement or expression around it, as source, before and after.
    code : code
        That defines the changed function.
    """

    file: str
    function: str
    line: int
    kind: str
    before: str
    after: str
    statement: str
    changed: str
    code: types.CodeType

    def bodies(self) -> dict[str, Callable[..., Any]]:
        """The functions of the file, which call the changed one."""
        module = module_of(self.file)
        namespace = dict(vars(module))
        bodies = {
            name: types.FunctionType(value.__code__, namespace, name, value.__defaults__)
            for name, value in vars(module).items()
            if inspect.isfunction(value) and value.__module__ == module.__name__
        }
        for name, value in bodies.items():
            value.__kwdefaults__ = vars(module)[name].__kwdefaults__
        namespace.update(bodies)
        exec(self.code, namespace)
        return {name: namespace[name] for name in bodies}


def module_of(file: str) -> types.ModuleType:
    """A file of the reference backend."""
    return importlib.import_module(f"minicnn.ops.reference.{file}")


def mutants(file: str, kinds: Sequence[str], *, everywhere: bool = False) -> Iterator[Mutant]:
    """Every mutant of these kinds of a file's functions, in the order of the file.

    Parameters
    ----------
    file : str
        The name of a file of the reference backend, without its ending.
    kinds : sequence of str
        Keys of `KINDS`.
    everywhere : bool, default False
        Whether to add changes of all places at once where a function computes the same thing, as a
        hand does that computes it once.
    """
    tree = ast.parse(inspect.getsource(module_of(file)))
    for function in tree.body:
        if isinstance(function, ast.FunctionDef):
            for places in [[place] for place in _places(function)]:
                yield from _of_places(file, function, places, kinds)
            for places in _alike(function) if everywhere else ():
                yield from _of_places(file, function, places, kinds)


def _of_places(
    file: str, function: ast.FunctionDef, places: "Sequence[_Place]", kinds: Sequence[str]
) -> Iterator[Mutant]:
    """The changes of one place, or of several that hold the same."""
    place = places[0]
    for kind in kinds:
        for new in KINDS[kind](place.node):
            ast.copy_location(new, place.node)
            statement = place.around(place.node)
            for each in places:
                each.put(new)
            module = ast.fix_missing_locations(ast.Module([function], []))
            code = compile(module, module_of(file).__file__ or file, "exec")
            changed = place.around(new)
            for each in places:
                each.put(each.node)
            yield Mutant(
                file, function.name, place.node.lineno, kind, ast.unparse(place.node),
                ast.unparse(new), statement, changed, code,
            )


def _alike(function: ast.FunctionDef) -> "list[list[_Place]]":
    """Places of a function that compute the same, where there are several."""
    groups: dict[str, list[_Place]] = {}
    for place in _places(function):
        if isinstance(place.node, ast.BinOp):
            groups.setdefault(ast.dump(place.node), []).append(place)
    return [places for places in groups.values() if len(places) > 1]


@dataclass
class _Place:
    """A node, what holds it, and the statement that it is in."""

    holder: ast.AST
    field: str
    index: int | None
    node: Any
    statement: ast.stmt

    def put(self, new: ast.AST) -> None:
        """Put another node there."""
        if self.index is None:
            setattr(self.holder, self.field, new)
        else:
            getattr(self.holder, self.field)[self.index] = new

    def around(self, node: ast.AST) -> str:
        """The statement around it as source, if it is a line; else the node's own."""
        whole = node if self.node is self.statement else self.statement
        text = ast.unparse(whole)
        return text if "\n" not in text else ast.unparse(node)


def _places(function: ast.FunctionDef) -> Iterator[_Place]:
    """Every node below a function's body; no docstrings, no annotations, no exceptions."""
    for at, statement in enumerate(function.body):
        if at or not isinstance(statement, ast.Expr):
            yield from _below(function, "body", at, statement, statement)


def _below(
    holder: ast.AST, field: str, index: int | None, node: ast.AST, statement: ast.stmt
) -> Iterator[_Place]:
    if isinstance(node, ast.stmt):
        statement = node
    yield _Place(holder, field, index, node, statement)
    if isinstance(node, ast.Raise):
        return
    for name, value in ast.iter_fields(node):
        for at, each in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(each, ast.AST):
                yield from _below(node, name, at, each, statement)


# -- what a hand does ---------------------------------------------------------------------------


def _flip(node: ast.AST) -> Iterator[ast.AST]:
    """+ for -, and the reverse."""
    if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Add | ast.Sub):
        yield _with_operator(node)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield node.operand


def _drop(node: ast.AST) -> Iterator[ast.AST]:
    """A sum without its second term."""
    if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Add | ast.Sub):
        yield node.left if isinstance(node, ast.BinOp) else ast.Pass()


def _off_by_one(node: ast.AST) -> Iterator[ast.AST]:
    """A whole number that is one more."""
    if isinstance(node, ast.Constant) and type(node.value) is int:
        yield ast.Constant(node.value + 1)


def _one_less(node: ast.AST) -> Iterator[ast.AST]:
    """A whole number that is one less."""
    if isinstance(node, ast.Constant) and type(node.value) is int and node.value > 0:
        yield ast.Constant(node.value - 1)


def _first_term(node: ast.AST) -> Iterator[ast.AST]:
    """A sum without its first term."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        minus = isinstance(node.op, ast.Sub)
        right = node.right
        yield ast.UnaryOp(ast.USub(), right) if minus else right


def _factor(node: ast.AST) -> Iterator[ast.AST]:
    """A product or quotient without one of its factors, or with another operator."""
    if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Mult | ast.Div):
        yield _with_operator(node)
        if isinstance(node, ast.AugAssign):
            yield ast.Pass()
        else:
            yield node.left
            if isinstance(node.op, ast.Mult):
                yield node.right
                yield ast.BinOp(node.left, ast.Add(), node.right)


def _bare(node: ast.AST) -> Iterator[ast.AST]:
    """A root, a square, an exponential or a logarithm forgotten."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and (
        node.func.attr in BARE and len(node.args) == 1
    ):
        yield node.args[0]


def _twin(node: ast.AST) -> Iterator[ast.AST]:
    """A sum for a mean, a minimum for a maximum, > for <."""
    if isinstance(node, ast.Attribute) and node.attr in TWINS:
        new = copy.copy(node)
        new.attr = TWINS[node.attr]
        yield new
    if isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPPED:
        turned = copy.copy(node)
        turned.ops = [SWAPPED[type(node.ops[0])]()]  # type: ignore[list-item]
        yield turned


def _axes(node: ast.AST) -> Iterator[ast.AST]:
    """One of several axes left out."""
    if isinstance(node, ast.Tuple) and len(node.elts) > 1 and all(
        isinstance(each, ast.Constant) and type(each.value) is int for each in node.elts
    ):
        for at in range(len(node.elts)):
            yield ast.Tuple([*node.elts[:at], *node.elts[at + 1:]], ast.Load())


def _turned(node: ast.AST) -> Iterator[ast.AST]:
    """A matrix as it is for its transpose."""
    if isinstance(node, ast.Attribute) and node.attr == "T":
        yield node.value


def _overwrites(node: ast.AST) -> Iterator[ast.AST]:
    """= for +=."""
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add | ast.Sub):
        value = node.value
        minus = isinstance(node.op, ast.Sub)
        yield ast.Assign(
            [node.target], ast.UnaryOp(ast.USub(), value) if minus else value
        )


def _with_operator(node: ast.BinOp | ast.AugAssign) -> ast.AST:
    new = copy.copy(node)
    new.op = SWAPPED[type(node.op)]()  # type: ignore[assignment]
    return new


KINDS: dict[str, Change] = {
    "flip": _flip, "drop": _drop, "off by one": _off_by_one, "one less": _one_less,
    "first term": _first_term, "factor": _factor, "bare": _bare, "twin": _twin, "axes": _axes,
    "turned": _turned, "overwrites": _overwrites,
}
"""By name, what is put for a node."""
