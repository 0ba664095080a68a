"""Modules that a student's file imports and that are not here.

What does not need them can be judged all the same: they are stood for by things that raise the
import's own error when they are used.
"""

import builtins
import functools
import importlib
import re
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, NoReturn


class Absent:
    """Stands for what an absent module would have; its attributes do too, and any use raises."""

    def __init__(self, module: str) -> None:
        self.__dict__["_module"] = module

    def __getattr__(self, name: str) -> "Absent":
        if name.startswith("__"):
            raise AttributeError(name)
        return Absent(self.__dict__["_module"])

    def _raise(self, *_: Any, **__: Any) -> NoReturn:
        module = self.__dict__["_module"]
        raise ModuleNotFoundError(f"No module named {module!r}", name=module)

    __call__ = __getitem__ = __setitem__ = __setattr__ = __iter__ = __len__ = __bool__ = _raise
    __contains__ = __enter__ = __exit__ = __float__ = __int__ = __index__ = __array__ = _raise
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = _raise
    __rtruediv__ = __matmul__ = __rmatmul__ = __pow__ = __neg__ = __lt__ = __gt__ = _raise
    __le__ = __ge__ = _raise

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        """A class may be derived from what is absent."""
        return (object,)

    def __instancecheck__(self, instance: Any) -> bool:
        """Nothing here is of an absent type."""
        return False


class AbsentModule(ModuleType):
    """Stands for an absent module."""

    def __getattr__(self, name: str) -> Absent:
        if name.startswith("__"):
            raise AttributeError(name)
        return Absent(self.__name__)


def absent_star_imports(source: str) -> list[str]:
    """The absent modules that a source imports everything from."""
    names = re.findall(r"^\s*from\s+([\w.]+)\s+import\s+\*", source, re.MULTILINE)
    return [
        name for name in names
        if any(isinstance(module, AbsentModule) and module.__name__.endswith(name.lstrip("."))
               for module in list(sys.modules.values()))
    ]


class AbsentModules(MetaPathFinder, Loader):
    """Finds the modules that are named to it, and packages that carry Python 2's names over."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Of a module that nobody else has found."""
        if fullname in CARRIED_OVER or any(
            fullname == name or fullname.startswith(f"{name}.") or name.startswith(f"{fullname}.")
            for name in self.names
        ):
            return ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """What stands for it."""
        if spec.name not in CARRIED_OVER:
            return AbsentModule(spec.name)
        module = ModuleType(spec.name)
        vars(module).update(CARRIED_OVER[spec.name])
        return module

    def exec_module(self, module: ModuleType) -> None:
        """It is made already."""


def _old_div(a: Any, b: Any) -> Any:
    """Python 2's division: whole numbers give a whole one."""
    return a // b if isinstance(a, int) and isinstance(b, int) else a / b


_NAMES = {
    "xrange": range, "range": range, "unicode": str, "basestring": str, "long": int,
    "raw_input": input, "input": input, "reduce": functools.reduce, "zip": zip, "map": map,
    "filter": filter, "str": str, "int": int, "object": object,
}

CARRIED_OVER: dict[str, dict[str, Any]] = {
    "past": {}, "past.builtins": _NAMES, "past.utils": {"old_div": _old_div},
    "future": {}, "future.builtins": _NAMES,
    "future.utils": {
        "iteritems": lambda d: iter(d.items()), "itervalues": lambda d: iter(d.values()),
        "iterkeys": lambda d: iter(d.keys()), "with_metaclass": None,
    },
    "future.standard_library": {"install_aliases": lambda: None},
    "six": {
        "iteritems": lambda d: iter(d.items()), "itervalues": lambda d: iter(d.values()),
        "iterkeys": lambda d: iter(d.keys()), "PY2": False, "PY3": True,
        "string_types": (str,), "integer_types": (int,),
    },
    "six.moves": {**_NAMES, "cPickle": importlib.import_module("pickle"), "builtins": builtins},
}
"""What the libraries past, future and six give, which a file for both Pythons may import."""


def stand_in() -> AbsentModules:
    """The finder, asked after all others; the same one however often this is called."""
    for finder in sys.meta_path:
        if isinstance(finder, AbsentModules):
            return finder
    finder = AbsentModules()
    sys.meta_path.append(finder)
    return finder


def forget() -> None:
    """Stand for no module any more: another file may find it, or do without."""
    stand_in().names.clear()
    for name in [name for name, module in sys.modules.items() if isinstance(module, AbsentModule)]:
        del sys.modules[name]
