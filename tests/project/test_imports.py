"""What an import brings with it, and who may import what."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "minicnn"
MAY_DRAW = ("terminal/", "training/progress.py")
"""Who beside the command line knows rich."""
MAY_COMPILE_FOR_A_GPU = {"ptx/compiler.py"}
"""Who knows Numba's compiler for GPUs: another one is a change of these files."""


def loaded(statement: str) -> set[str]:
    """The modules that a fresh process has after a statement."""
    ended = subprocess.run(
        [sys.executable, "-c", f"{statement}; import sys; print(*sys.modules)"],
        capture_output=True, text=True, check=True,
    )
    return set(ended.stdout.split())


def imports(tree: ast.AST) -> Iterator[str]:
    """Every module that a file imports, at its top or anywhere else."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def compilers_of_gpus(tree: ast.AST) -> Iterator[str]:
    """Every import of Numba's compiler for GPUs: ``from numba import cuda`` is one too."""
    names = [f"{node.module}.{alias.name}" for node in ast.walk(tree)
             if isinstance(node, ast.ImportFrom) for alias in node.names]
    yield from (name for name in (*imports(tree), *names)
                if name.startswith(("numba.cuda", "numba_cuda")))


@pytest.mark.parametrize(("statement", "heavy"), [
    ("import minicnn", {"rich", "pandas", "matplotlib", "pydantic", "typer", "safetensors"}),
    ("import minicnn.cli", {"pandas", "matplotlib", "pydantic", "minicnn.training"}),
])
def test_an_import_brings_nothing_heavy(statement: str, heavy: set[str]) -> None:
    modules = loaded(statement)
    assert "minicnn.sequential" in modules
    assert modules & heavy == set()


def test_rich_is_known_in_one_place() -> None:
    found = {
        path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py")
        if any(name.split(".")[0] == "rich"
               for name in imports(ast.parse(path.read_text(encoding="utf-8"))))
    }
    assert {name for name in found if not name.startswith(("cli/", *MAY_DRAW))} == set()


def test_the_terminal_stands_on_nothing_of_the_package_but_errors() -> None:
    for path in (PACKAGE / "terminal").glob("*.py"):
        own = {name for name in imports(ast.parse(path.read_text(encoding="utf-8")))
               if name.startswith("minicnn")}
        assert all(name.startswith(("minicnn.errors", "minicnn.terminal")) for name in own)


def test_numbas_compiler_for_gpus_is_known_in_one_place() -> None:
    found = {
        path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py")
        if any(compilers_of_gpus(ast.parse(path.read_text(encoding="utf-8"))))
    }
    assert found == MAY_COMPILE_FOR_A_GPU


@pytest.mark.parametrize("line", [
    "import numba.cuda", "import numba_cuda", "from numba import cuda", "import numba, numba.cuda",
    "from numba.cuda import types", "def f():\n    from numba.cuda.extending import intrinsic",
])
def test_an_import_of_numbas_compiler_for_gpus_is_seen(line: str) -> None:
    assert any(compilers_of_gpus(ast.parse(line)))
    assert not any(compilers_of_gpus(ast.parse("from numba import njit\nimport numba")))
