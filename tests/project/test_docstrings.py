"""The examples in docstrings are what they say they are."""

import doctest
import importlib
import pkgutil

import pytest

import minicnn
from minicnn.ptx.requirement import MISSING, installed

MODULES = [
    module.name for module in pkgutil.walk_packages(minicnn.__path__, "minicnn.")
    if not module.name.endswith("__main__")
]


NEEDING_THE_COMPILER = "minicnn.ops.cuda.", "minicnn.ptx.compiler"
"""How the names of those begin that cannot be imported without the extra cuda."""


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    if name.startswith(NEEDING_THE_COMPILER) and not installed():
        pytest.skip(MISSING)
    module = importlib.import_module(name)
    known = dict(minicnn.layers.LAYERS)
    try:
        assert doctest.testmod(module).failed == 0
    finally:  # an example may register a layer of its own
        minicnn.layers.LAYERS.clear()
        minicnn.layers.LAYERS.update(known)


def test_there_are_examples() -> None:
    finder = doctest.DocTestFinder(exclude_empty=True)
    found = [
        test for name in MODULES if not name.startswith(NEEDING_THE_COMPILER)
        for test in finder.find(importlib.import_module(name)) if test.examples
    ]
    assert len(found) >= 4
