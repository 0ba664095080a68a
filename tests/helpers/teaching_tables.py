"""The tables of docs/teaching.md, as the exercises and the catalogue of faults have them."""

import ast
import inspect
import textwrap
from collections.abc import Callable
from typing import Any

from minicnn.checking.equations import EQUATIONS
from minicnn.checking.faults import FAULTS
from minicnn.checking.students.exercises import EXERCISES, Exercise
from minicnn.ops import reference


def statements(function: Callable[..., Any]) -> int:
    """How many statements a function of the reference has, without its docstring."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    assert isinstance(definition, ast.FunctionDef)
    body = definition.body[ast.get_docstring(definition) is not None:]
    return sum(isinstance(node, ast.stmt) for part in body for node in ast.walk(part))


def minutes(exercise: Exercise) -> int:
    """The page's estimate: 10 to read, 15 for each equation, 3 for each statement."""
    written = sum(statements(getattr(reference, name)) for name in exercise.functions)
    return 5 * round((10 + 15 * len(exercise.derived) + 3 * written) / 5)


def exercise_rows() -> list[str]:
    """A row for each exercise: what it asks, and for how long."""
    rows = []
    for name, exercise in EXERCISES.items():
        asked = [EQUATIONS[exercise.topic][number - 1].split(" = ")[0]
                 for number in exercise.derived]
        functions = ", ".join(f"`{function}`" for function in exercise.functions)
        rows.append(f"| `{name}` | {functions} | {', '.join(asked) or '–'} | "
                    f"{minutes(exercise)} min |")
    return rows


TOGETHER = (("layer norm", "group norm"), ("momentum", "RMSProp", "Adam"))
"""Topics whose exercises share their faults."""


def fault_rows() -> list[str]:
    """A row for each topic, or several together: its exercises, and the catalogue's faults."""
    topics = dict.fromkeys(
        next((group for group in TOGETHER if exercise.topic in group), (exercise.topic,))
        for exercise in EXERCISES.values()
    )
    rows = []
    for group in topics:
        exercises = [f"`{name}`" for name, each in EXERCISES.items() if each.topic in group]
        faults = [f"`{each.id}`" for each in FAULTS.values()
                  if each.equation is not None and each.equation.topic in group]
        rows.append(f"| {', '.join(exercises)} | {', '.join(faults)} |")
    return rows


if __name__ == "__main__":
    print(*exercise_rows(), *fault_rows(), sep="\n")
