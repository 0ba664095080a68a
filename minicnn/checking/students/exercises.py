"""Starter files for students, made from the reference: signature, shapes, equations to derive."""

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minicnn.checking.equations import Equation
from minicnn.checking.students.dialects.minicnn import MINICNN
from minicnn.checking.students.examination.settings import NOT_ASKED
from minicnn.checking.students.exercise_examples import example_lines
from minicnn.checking.students.notation import equation_lines
from minicnn.errors import InputError
from minicnn.ops import reference


@dataclass(frozen=True)
class Exercise:
    """An operation to be written.

    Attributes
    ----------
    functions : tuple of str
        Names of the reference's functions, forward first.
    topic : str
        Of `EQUATIONS`.
    given, derived : tuple of int
        Equations that the file states, and those of which it shows the left side alone.
    """

    functions: tuple[str, ...]
    topic: str
    given: tuple[int, ...]
    derived: tuple[int, ...]


def _pair(name: str, topic: str, given: tuple[int, ...], derived: tuple[int, ...]) -> Exercise:
    return Exercise((f"{name}_forward", f"{name}_backward"), topic, given, derived)


EXERCISES: dict[str, Exercise] = {
    "batchnorm": _pair("batchnorm", "batch norm", (1, 2, 3, 4, 8, 9, 10), (5, 6, 7)),
    "layernorm": _pair("layernorm", "layer norm", (1, 2, 3, 4), (5, 6, 8)),
    "groupnorm": _pair("groupnorm", "group norm", (1, 2, 3, 4), (5, 6, 8)),
    "conv2d": _pair("conv2d", "convolution", (1, 2), (3, 5, 6)),
    "maxpool2d": _pair("maxpool2d", "pooling", (1, 2), (3,)),
    "avgpool2d": _pair("avgpool2d", "pooling", (4,), (5,)),
    "global_avgpool2d": _pair("global_avgpool2d", "pooling", (6,), (7,)),
    "dense": _pair("dense", "dense", (1,), (2, 3, 4)),
    "relu": _pair("relu", "activation", (1,), (2,)),
    "leaky_relu": _pair("leaky_relu", "activation", (3,), (4,)),
    "elu": _pair("elu", "activation", (5,), (6,)),
    "dropout": _pair("dropout", "dropout", (1, 2, 4), (3,)),
    "softmax_cross_entropy": Exercise(
        ("softmax", "softmax_cross_entropy_forward", "softmax_cross_entropy_backward"),
        "softmax", (1, 2), (3,),
    ),
    "sgd_update": Exercise(("sgd_update",), "momentum", (3, 4), ()),
    "rmsprop_update": Exercise(("rmsprop_update",), "RMSProp", (1, 2), ()),
    "adam_update": Exercise(("adam_update",), "Adam", (2, 3, 4), ()),
}
"""By name."""


_OF_DTYPES = re.compile(
    r"\bfloat64\s+if\b[^.;]*float32(;\s+the\s+running\s+arrays\s+have\s+no\s+say)?[.;]?\s?"
    r"|, y's dtype|, any float dtype|, float32 or float64, C-contiguous|, or a list of \w+( \w+)*"
    r"|Python's own, whatever the dtype[^.]*[.]"
    r"|: it draws one float32 uniform number an element, or on a GPU the\s+seed of its numbers"
)
"""What the package promises of dtypes and devices, and of many parameters at once."""


def exercise_text(name: str) -> str:
    """The starter file of an exercise.

    Raises
    ------
    InputError
        Where there is none of this name.
    """
    if name not in EXERCISES:
        raise InputError(
            f"expected one of {', '.join(EXERCISES)}, got {name!r}", argument="exercise"
        )
    exercise = EXERCISES[name]
    passes = "forward and backward" if len(exercise.functions) > 1 else "changed in place"
    lines = [f'"""Exercise: {name}, {passes}, in NumPy.', ""]
    if exercise.given:
        given = [line for number in exercise.given for line in _equation(exercise, number)]
        lines += ["Given:", *(f"    {line}" for line in given), ""]
    if exercise.derived:
        given_to_backward = "dloss, mostly 1," if exercise.topic == "softmax" else "dy = ∂L/∂y"
        lines += [f"Derive (L is the loss; backward is given {given_to_backward} and forward's "
                  "cache):"]
        lines += [f"    {_left_side(_equation(exercise, number)[0])} = ?"
                  for number in exercise.derived]
        lines += [""]
    lines += [
        "Check it with:  minicnn check THIS_FILE.py", "",
        "For example (python -m doctest THIS_FILE.py says nothing where it is right):", "",
        *(f"    {line}" for line in example_lines(name)), '"""', "", "import numpy as np",
    ]
    for function in exercise.functions:
        lines += ["", "", *_stub(getattr(reference, function))]
    return "\n".join(lines) + "\n"


def describe_exercises() -> list[str]:
    """A line for each exercise: its name, and the functions that it asks for."""
    longest = max(map(len, EXERCISES))
    return [f"{name:{longest}}  {', '.join(exercise.functions)}"
            for name, exercise in EXERCISES.items()]


def write_exercise(name: str, path: Path | None = None) -> Path:
    """Write the starter file, by default ``NAME_exercise.py`` in the current folder.

    Raises
    ------
    InputError
        Where there is no such exercise, or the file is there already.
    """
    text = exercise_text(name)
    if path is not None and path.suffix != ".py":
        raise InputError(f"{path}: expected a file named .py")
    path = path or Path(f"{name}_exercise.py")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise InputError(f"{path}: is there already; the exercise was not written") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from None
    return path


def _equation(exercise: Exercise, number: int) -> list[str]:
    """An equation's lines in the exercise's own names, each remark on a line below, deeper."""
    name = exercise.functions[-1]
    convention = next(each for each in MINICNN if name in (each.forward, *each.backwards))
    first, *remarks = equation_lines(Equation(exercise.topic, number), convention)
    return [first, *(f"    {remark}" for remark in remarks)]


def _left_side(equation: str) -> str:
    return equation.split(" = ")[0]


def _stub(function: Callable[..., Any]) -> list[str]:
    """A function's signature and docstring, and nothing of how it is done."""
    name = function.__name__
    parameters = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for parameter in inspect.signature(function).parameters.values()
        if parameter.name not in NOT_ASKED
    ]
    head = f"def {name}{inspect.Signature(parameters)}:"
    if len(head) > 100:
        *positional, keywords = re.split(r", \*, ", head.removesuffix("):"))
        head = f"{', '.join(positional)}, *,\n    {keywords},\n):"
    docstring = f'"""{_docstring(function)}\n"""'
    return [
        *head.split("\n"), *(f"    {line}".rstrip() for line in docstring.split("\n")),
        "    raise NotImplementedError",
    ]


def _docstring(function: Callable[..., Any]) -> str:
    """Summary, parameters and results; a backward's summary would be the solution."""
    text = inspect.getdoc(function) or ""
    parts = re.split(r"\n\n(?=\w+\n-+\n)", text)
    description, sections = parts[0].split("\n\n")[0], parts[1:]
    if function.__name__.endswith("_backward"):
        forward = function.__name__.replace("_backward", "_forward")
        description = f"The gradients of `{forward}`, to be derived."
    kept = [_asked(part) for part in sections if part.startswith(("Parameters", "Returns"))]
    text = "\n\n".join([description, *kept])
    return re.sub(r"\b\w+Cache\b", "whatever backward needs", text)


def _asked(section: str) -> str:
    """A section of a docstring without what no exercise asks for."""
    entries = re.split(r"\n(?=\w)", section)
    kept = [
        entry for entry in entries
        if not set(entry.split("\n")[0].split(" : ")[0].split(", ")) <= set(NOT_ASKED)
    ]
    text = _OF_DTYPES.sub("", "\n".join(kept))
    return "\n".join(line.rstrip() for line in text.split("\n") if line.strip())
