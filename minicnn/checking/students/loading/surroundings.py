"""The folders about a student's file: what it imports beside it, and the package that it is of."""

import ast
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import ModuleType

LONE_NAME = "submission"
"""The name of a module whose own is another's already."""


def enter(path: Path, trees: Sequence[ast.Module]) -> ModuleType:
    """A module for a file, in which its imports find what stands beside it.

    Its folder comes first where modules are looked for, as if the file were run there; the folders
    above come last. It is a part of the package that its folder is, with or without
    ``__init__.py``, as deep as its relative imports reach.
    """
    folder = path.parent
    for beside in dict.fromkeys([path.resolve().parent, folder]):  # a link's, and the file's own
        sys.path.insert(0, str(beside))
    sys.path += [str(above) for above in folder.parents if str(above) not in sys.path]
    package = _enter_packages(_chain(folder, _relative_level(trees)))
    name = _free_name(".".join(filter(None, [package, path.stem.replace(".", "_")])))
    specification = importlib.machinery.ModuleSpec(name, None, origin=str(path))
    module = importlib.util.module_from_spec(specification)
    module.__file__ = str(path)
    sys.modules[name] = module
    return module


def _relative_level(trees: Sequence[ast.Module]) -> int:
    """How far up relative imports reach: 1 for ``from . import x``, 2 for ``from ..a import x``."""
    return max((
        node.level for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
    ), default=0)


def _chain(folder: Path, level: int) -> list[Path]:
    """The folders of the package, the outermost first."""
    chain: list[Path] = []
    while folder != folder.parent and ((folder / "__init__.py").is_file() or len(chain) < level):
        chain.insert(0, folder)
        folder = folder.parent
    return chain


def _enter_packages(chain: Sequence[Path]) -> str:
    """Make packages of folders, whose ``__init__.py`` may fail; their dotted name."""
    name = ""
    for folder in chain:
        above = sys.modules.get(name)
        name = _free_name(".".join(filter(None, [name, folder.name.replace(".", "_")])))
        package = _package(name, folder)
        sys.modules[name] = package
        if above is not None:
            setattr(above, folder.name, package)
        if _free_name(folder.name) == folder.name:  # files call it by this name alone
            sys.modules[folder.name] = package
        if package.__spec__ is not None and package.__spec__.loader is not None:
            with suppress(Exception, SystemExit):
                package.__spec__.loader.exec_module(package)
    return name


def _package(name: str, folder: Path) -> ModuleType:
    """The package that a folder is, not yet run."""
    initial = folder / "__init__.py"
    if not initial.is_file():
        package = ModuleType(name)
        package.__path__ = [str(folder)]
        return package
    specification = importlib.util.spec_from_file_location(
        name, initial, submodule_search_locations=[str(folder)])
    assert specification is not None
    return importlib.util.module_from_spec(specification)


def _free_name(name: str) -> str:
    """A dotted name that no module of Python's or of a library's has."""
    first = name.partition(".")[0]
    home = getattr(sys.modules.get(first), "__path__", None)
    if "." in name and home is not None:  # below a package of ours
        return name
    taken = first in sys.modules or first in sys.stdlib_module_names or first == "minicnn"
    return f"{LONE_NAME}_{name}" if taken else name
