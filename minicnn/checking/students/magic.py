"""The cell magic ``%%check``: run a cell, and judge what it defines."""

import ast
from typing import Any

from minicnn.checking.students.findings import Findings
from minicnn.checking.students.namespace import check_functions


def register(shell: Any) -> None:
    """Give an IPython shell the magic ``%%check``."""

    def check(line: str, cell: str) -> Findings | None:
        """Run the cell, and judge the functions and classes that it defines.

        Beside ``%%check`` may stand how a class is built: ``%%check BatchNorm(gamma, beta)``.
        """
        cell = f"# %%check\n{cell}"  # so that its lines keep their numbers
        if not shell.run_cell(cell, store_history=False).success:
            return None
        names = {
            node.name for node in ast.walk(ast.parse(shell.transform_cell(cell)))
            if isinstance(node, ast.FunctionDef | ast.ClassDef)
        }
        return check_functions(shell.user_ns, only=names, build=line.strip() or ())

    shell.register_magic_function(check, "cell", "check")
