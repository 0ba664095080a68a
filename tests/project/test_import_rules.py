"""An import only points down the house: from a floor to one below it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "minicnn"

HOUSE = (
    "__main__",
    "cli",
    "__init__",
    "benchmarking, exploring",
    "training, viewing",
    "inference",
    "runs",
    "models",
    "compile_ahead",
    "sequential",
    "summary, weights",
    "checking",
    "losses, optimizers",
    "layers",
    "ops, data, schedules, initializers",
    "compiling, files, ptx, signals, terminal, validation",
    "errors",
)
"""The parts of the package from top to bottom; those of one floor import nothing of each other.

``__init__`` is the package itself, whose names are for whoever uses it.
"""

OPS = (
    "__init__",
    "cpu, cuda",
    "reference",
    "activations, batchnorm, conv2d, dense, dropout, groupnorm, layernorm, pool2d, reductions, "
    "softmax_cross_entropy, updates",
    "arguments",
    "backend, window",
)
"""Likewise inside `minicnn.ops`: bodies, their doors, and what doors stand on."""

FOR_TYPES = [f"minicnn.ops.{backend} -> minicnn.ops" for backend in ("cpu", "cuda", "reference")]
"""Arrows that only a type checker follows: to it, a backend's functions are the doors' names."""

MODULES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in PACKAGE.rglob("*.py")
}


NAMED_FOR_TYPE_CHECKERS = {
    "minicnn.ops", "minicnn.ops.cpu", "minicnn.ops.cuda", "minicnn.ops.reference"
}
"""Packages that get names when they run which a type checker has to be told of."""


def nodes(module: str) -> Iterator[ast.AST]:
    """All of a module's code, but for what it tells a type checker alone, where it may."""
    waiting: list[ast.AST] = [ast.parse(MODULES[module].read_text(encoding="utf-8"))]
    while waiting:
        node = waiting.pop()
        yield node
        for_checkers = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        if for_checkers and module in NAMED_FOR_TYPE_CHECKERS:
            waiting += node.orelse
        else:
            waiting += ast.iter_child_nodes(node)


def imports(module: str) -> Iterator[str]:
    """The package's modules that one imports, at its top or inside a function.

    Its version may be read from anywhere, since nothing but the package itself has it.
    """
    for node in nodes(module):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: expected an absolute import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            if name != "minicnn.__version__" and name.partition(".")[0] == "minicnn":
                yield name if name in MODULES else name.rpartition(".")[0]


def below(module: str, package: str) -> str:
    """The part of a package that a module belongs to."""
    return module.removeprefix(package).removeprefix(".").partition(".")[0] or "__init__"


def floors(house: tuple[str, ...]) -> dict[str, int]:
    """The height of every part."""
    return {
        part: height for height, floor in enumerate(reversed(house)) for part in floor.split(", ")
    }


def pointing_up(package: str, house: tuple[str, ...]) -> list[str]:
    """The arrows between a package's parts that do not point down."""
    height = floors(house)
    return [
        f"{module} -> {target}"
        for module in MODULES if module.startswith(f"{package}.")
        for target in imports(module) if target.startswith(package)
        if (here := below(module, package)) != (there := below(target, package))
        and not height[here] > height.get(there, len(house))
    ]


@pytest.mark.parametrize(("package", "house"), [("minicnn", HOUSE), ("minicnn.ops", OPS)])
def test_every_part_has_its_floor(package: str, house: tuple[str, ...]) -> None:
    parts = {below(module, package) for module in MODULES if module.startswith(f"{package}.")}
    assert parts - floors(house).keys() == set()


@pytest.mark.parametrize(("package", "house"), [("minicnn", HOUSE), ("minicnn.ops", OPS)])
def test_every_arrow_points_down(package: str, house: tuple[str, ...]) -> None:
    assert [arrow for arrow in pointing_up(package, house) if arrow not in FOR_TYPES] == []


def test_nobody_looks_inside_a_backend() -> None:
    found = [
        f"{module} -> {target}" for module in MODULES if not module.startswith("minicnn.ops")
        for target in imports(module)
        if target.startswith(("minicnn.ops.cpu.", "minicnn.ops.reference."))
    ]
    assert found == []


def test_an_arrow_that_points_up_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = tmp_path / "losses.py"
    wrong.write_text("import minicnn.layers\ndef f():\n    from minicnn.training import Trainer\n")
    monkeypatch.setitem(MODULES, "minicnn.losses", wrong)
    assert pointing_up("minicnn", HOUSE) == ["minicnn.losses -> minicnn.training"]
