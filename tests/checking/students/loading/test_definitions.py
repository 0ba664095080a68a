"""What of a program is kept: what defines, not what runs it."""

import ast

import pytest

from minicnn.checking.students.loading.definitions import (
    definitions,
    definitions_of_main,
    names_defined,
    names_of_mathematics,
)

BEFORE = "import numpy as np\nfrom collections import namedtuple\nfrom data import load\n" \
         "import math as m\ndef f(x): return x\nclass A: pass\n"


def kept(text: str) -> str:
    """What is kept after some imports and definitions, which are."""
    body = ast.parse(BEFORE + text).body
    found = definitions(body, names_defined(body), names_of_mathematics(body))
    before = ast.parse(BEFORE).body
    assert list(map(ast.dump, found[:len(before)])) == list(map(ast.dump, before))
    return "\n".join(map(ast.unparse, found[len(before):]))


@pytest.mark.parametrize("text", [
    "EPS = 1e-05", "SIZES: list = [3, 4]", "a, b = (1, 2)", "TYPE = np.float64", "N = -2 ** 3",
    "X = np.arange(9).reshape(3, 3)", "WORDS = 'a b'.split()", "ROOT = m.sqrt(2)",
    "Cache = namedtuple('Cache', 'x w')", "g = f", "g = lambda x: f(x)", "A.forward = f",
    "TABLE['a'] = 3", "COUNT += 1", "y = [i ** 2 for i in range(3)]",
    "try:\n    import torch\nexcept ImportError:\n    torch = None",
    "if m.pi > 3:\n    h = 1\nelse:\n    h = 2",
])
def test_imports_definitions_and_constants_are_kept(text: str) -> None:
    assert kept(text) == text


@pytest.mark.parametrize("text", [
    "f(3)", "print(3)", "assert f(1) == 2", "x = f(3)", "a = A()", "data = load()", "x.sort()",
    "n = int(input('n'))", "t = open('x').read()", "for i in range(3):\n    f(i)",
    "while True:\n    pass", "with open('x') as g:\n    g.read()", "'text'", "np.random.seed(0)",
    "if __name__ == '__main__':\n    f(1)\n    x = 3", "if f(3):\n    y = 1", "del f",
    "raise SystemExit", "try:\n    f(1)\nexcept ValueError:\n    x = 1",
])
def test_what_runs_is_left_out(text: str) -> None:
    assert kept(text) == ""


def test_functions_inside_the_main_block_are_kept() -> None:
    text = "if __name__ == '__main__':\n    def g(x):\n        return x\n    N = 3\n    g(N)"
    assert kept(text) == "def g(x):\n    return x\nN = 3"
    body = ast.parse("y = 1\n" + text).body
    only = definitions_of_main(body, {"g"}, set())
    assert "\n".join(map(ast.unparse, only)) == "def g(x):\n    return x\nN = 3"
