"""Notebooks: which cells and lines are Python's, and which for IPython alone."""

import json
from pathlib import Path
from typing import Any

import pytest

from minicnn import InputError
from minicnn.checking.students.loading.notebook import code_cells, without_magics

NOTEBOOK = Path("some.ipynb")


def cells(*sources: Any, **more: Any) -> list[str]:
    content = {"cells": [{"cell_type": "code", "source": each} for each in sources], **more}
    return list(code_cells(NOTEBOOK, json.dumps(content)))


def test_cells_of_both_formats() -> None:
    assert cells("x = 1\ny = 2", ["x = 1\n", "y = 2"]) == ["x = 1\ny = 2"] * 2
    third = {"nbformat": 3, "worksheets": [
        {"cells": [{"cell_type": "heading", "source": "A"}, {"cell_type": "code", "input": "a"}]},
        {"cells": [{"cell_type": "markdown", "source": "B"},
                   {"cell_type": "code", "input": ["b\n", "c"]}]},
    ]}
    assert list(code_cells(NOTEBOOK, json.dumps(third))) == ["a", "b\nc"]


@pytest.mark.parametrize(("text", "message"), [
    ("", "some.ipynb: expected a notebook, found an empty file"),
    ("{\n'cells': []}", "some.ipynb: expected a notebook, which is JSON; line 2: it is damaged"),
    ("[" * 100_000, "some.ipynb: expected a notebook, which is JSON; it is damaged"),
    ("[1, 2]", "expected a notebook, found other JSON"),
    ('{"cells": 3}', "expected a notebook, found no cells in it"),
    ('{"worksheets": [3]}', "expected a notebook, found no cells in it"),
    ('{"cells": [3], "metadata": {"kernelspec": {"language": "R"}}}',
     "expected a notebook in Python, found one in r"),
])
def test_what_is_no_notebook_is_said_in_one_line(text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        list(code_cells(NOTEBOOK, text))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("cell", "left"), [
    ("%matplotlib inline\nx = 1", "pass\nx = 1\n"),
    ("!pip install 'numpy\nx = 1", "pass\nx = 1\n"),
    ("if True:\n    !ls (\n    %cd ..\nx = 1", "if True:\n    pass\n    pass\nx = 1\n"),
    ("files = !ls *.py\nt = %timeit -o f()\nx = 1", "pass\npass\nx = 1\n"),
    ("?np.dot\nnp.dot?\nnp.dot??\nx = 1", "pass\npass\npass\nx = 1\n"),
    ("x = (7\n     % 3)\n%time", "x = (7\n     % 3)\npass\n"),
    ('x = """\n%matplotlib\n!ls\n"""', 'x = """\n%matplotlib\n!ls\n"""\n'),
    ("\n%%time\nx = 1", "\n\nx = 1\n"),
    ("%%bash\nls", ""),
    ("%%writefile x.py\nx = 1", ""),
    ("x = = 1", "x = = 1\n"),
])
def test_lines_for_ipython_alone_become_pass(cell: str, left: str) -> None:
    assert without_magics(cell) == left
