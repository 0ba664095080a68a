"""Mutants of the reference backend: one sign flipped, one term dropped, one number off by one.

    python tests/programs/mutation.py

prints which of them `check_layer` kills, and the survivors line by line.
"""

import ast
import copy
import importlib
import inspect
import types
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from minicnn.checking import check_layer
from minicnn.checking.examples import EXAMPLES
from minicnn.checking.layer_checks import check_backends_agree
from minicnn.layers import Layer
from minicnn.ops import use_backend
from minicnn.ops.backend import OPERATIONS, bodies

FILES = ("conv2d", "pool2d", "batchnorm", "layernorm", "groupnorm", "dense", "activations",
         "dropout")

LAYERS = {
    "conv2d": ["Conv2D", "Conv2D, padded"],
    "maxpool2d": ["MaxPool2D, overlap", "MaxPool2D, padded"],
    "avgpool2d": ["AvgPool2D"],
    "global_avgpool2d": ["GlobalAvgPool2D"],
    "batchnorm": ["BatchNorm", "BatchNorm, unbiased"],
    "layernorm": ["LayerNorm"],
    "groupnorm": ["GroupNorm"],
    "dense": ["Dense"],
    "relu": ["ReLU"],
    "leaky_relu": ["LeakyReLU"],
    "elu": ["ELU"],
    "dropout": ["Dropout"],
}
"""Which layers show a fault in which operation of the reference."""

TWIN = check_backends_agree.__name__
"""The check that a layer of one's own, of which there is but one, does not have."""

SMALL = (4, 5, 2)
"""Images that are large enough for every fault."""

SWAPPED = {ast.Add: ast.Sub, ast.Sub: ast.Add}


@dataclass(frozen=True)
class Mutant:
    """One change of one file.

    Attributes
    ----------
    file : str
    function : str
        In which the change is.
    line : int
    change : str
    tree : ast.Module
    """

    file: str
    function: str
    line: int
    change: str
    tree: ast.Module

    @contextmanager
    def chosen(self) -> Iterator[None]:
        """Within the block, the reference backend with the changed file in it."""
        original = module_of(self.file)
        changed = types.ModuleType(original.__name__)
        changed.__dict__.update(__file__=original.__file__, __package__=original.__package__)
        exec(compile(self.tree, original.__file__, "exec"), changed.__dict__)
        with use_backend("reference"):
            reference = bodies()
            names = [name for name in OPERATIONS if name in vars(changed)]
            before = {name: getattr(reference, name) for name in names}
            vars(reference).update({name: getattr(changed, name) for name in names})
            try:
                yield
            finally:
                vars(reference).update(before)

    def survives(self) -> bool:
        """Whether every check passes on every layer.

        The comparison of the backends comes first, since it takes next to no time and most mutants
        fail it.
        """
        with self.chosen():
            try:
                for layer, shape in self._specimens():
                    check_backends_agree(layer, shape)
            except Exception:
                return False
        return self.killer() is None

    def killer(self) -> str | None:
        """Name of the check that fails one of the layers on it; None if it survives."""
        with self.chosen():
            try:
                for layer, shape in self._specimens():
                    check_layer(layer, shape)
            except AssertionError as error:
                return str(error).split(":")[0]
        return None

    def _specimens(self) -> Iterator[tuple[Layer, tuple[int, ...]]]:
        for name in self._layers():
            make, shape = EXAMPLES[name]
            yield make(), SMALL if len(shape) == 3 else shape

    def _layers(self) -> list[str]:
        """Those that the changed function is for; of a helper, all of its file's."""
        operation = self.function.removesuffix("_forward").removesuffix("_backward")
        if operation in LAYERS:
            return LAYERS[operation]
        functions = vars(module_of(self.file))
        return [
            layer for operation, layers in LAYERS.items()
            if f"{operation}_forward" in functions for layer in layers
        ]


def module_of(file: str) -> types.ModuleType:
    """A file of the reference backend."""
    return importlib.import_module(f"minicnn.ops.reference.{file}")


def mutants(file: str) -> Iterator[Mutant]:
    """Every mutant of a file's function bodies."""
    tree = ast.parse(inspect.getsource(module_of(file)))
    for number, (*_, place) in enumerate(_places(tree)):
        for kind in ("flip", "drop", "off by one"):
            if _mutated(place, kind) is None:
                continue
            changed = copy.deepcopy(tree)
            function, holder, name, index, node = list(_places(changed))[number]
            new = _mutated(node, kind)
            ast.copy_location(new, node)
            if index is None:
                setattr(holder, name, new)
            else:
                getattr(holder, name)[index] = new
            ast.fix_missing_locations(changed)
            what = f"{kind}: {ast.unparse(node)} -> {ast.unparse(new)}"
            yield Mutant(file, function, node.lineno, what, changed)


def _places(tree: ast.Module) -> Iterator[tuple[str, ast.AST, str, int | None, ast.AST]]:
    """Every node below a function's body, with what holds it; no docstrings, no annotations."""
    for function in tree.body:
        if isinstance(function, ast.FunctionDef):
            for at, statement in enumerate(function.body):
                docstring = isinstance(statement, ast.Expr) and at == 0
                if not docstring:
                    for place in _below(function, "body", at, statement):
                        yield function.name, *place


def _below(
    holder: ast.AST, name: str, index: int | None, node: ast.AST
) -> Iterator[tuple[ast.AST, str, int | None, ast.AST]]:
    yield holder, name, index, node
    if isinstance(node, ast.Raise):
        return
    for field, value in ast.iter_fields(node):
        if isinstance(value, ast.AST):
            yield from _below(node, field, None, value)
        elif isinstance(value, list):
            for at, each in enumerate(value):
                if isinstance(each, ast.AST):
                    yield from _below(node, field, at, each)


def _mutated(node: ast.AST, kind: str) -> ast.AST | None:
    """The node changed in this way, or None where it cannot be."""
    if isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in SWAPPED:
        if kind == "flip":
            new = copy.deepcopy(node)
            new.op = SWAPPED[type(node.op)]()
            return new
        if kind == "drop":
            return copy.deepcopy(node.left) if isinstance(node, ast.BinOp) else ast.Pass()
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and kind == "flip":
        return copy.deepcopy(node.operand)
    if isinstance(node, ast.Constant) and type(node.value) is int and kind == "off by one":
        return ast.Constant(node.value + 1)
    return None


def main() -> None:
    """Print the share killed by file, and the survivors."""
    killers: list[str | None] = []
    for file in FILES:
        every = list(mutants(file))
        found = [mutant.killer() for mutant in every]
        print(f"{file}: {len(found) - found.count(None)} of {len(found)} killed")
        for mutant, killer in zip(every, found, strict=True):
            if killer in (None, TWIN):
                print(f"    line {mutant.line}, {mutant.change}: {killer or 'survives'}")
        killers += found
    killed = len(killers) - killers.count(None)
    alone = killed - killers.count(TWIN)
    print(f"all: {killed} of {len(killers)} killed, {killed / len(killers):.1%}; "
          f"without comparing backends {alone}, {alone / len(killers):.1%}")


if __name__ == "__main__":
    main()
