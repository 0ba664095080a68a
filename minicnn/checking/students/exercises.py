"""Starter files for students, made from the reference: signature, shapes, equations to derive."""

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minicnn.checking.equations import EQUATIONS
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
    "batchnorm": _pair("batchnorm", "batch norm", (1, 2, 3, 4, 8, 9), (5, 6, 7, 10)),
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
    "adam_update": Exercise(("adam_update",), "Adam", (1, 2, 3, 4), ()),
}
"""By name."""


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
    equations = EQUATIONS[exercise.topic]
    lines = [f'"""Exercise: {name}, forward and backward, in NumPy.', ""]
    if exercise.given:
        lines += ["Given:", *(f"    {equations[number - 1]}" for number in exercise.given), ""]
    if exercise.derived:
        given = "dloss, mostly 1," if exercise.topic == "softmax" else "dy = ∂L/∂y"
        lines += [f"Derive (L is the loss; backward is given {given} and forward's cache):"]
        lines += [f"    {_left_side(equations[number - 1])} = ?" for number in exercise.derived]
        lines += [""]
    lines += ["Check it with:  minicnn check THIS_FILE.py", '"""', "", "import numpy as np"]
    for function in exercise.functions:
        lines += ["", "", *_stub(getattr(reference, function))]
    return "\n".join(lines) + "\n"


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


def _left_side(equation: str) -> str:
    return equation.split(" = ")[0]


def _stub(function: Callable[..., Any]) -> list[str]:
    """A function's signature and docstring, and nothing of how it is done."""
    name = function.__name__
    parameters = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for parameter in inspect.signature(function).parameters.values()
    ]
    docstring = _docstring(function, keep_description=not name.endswith("_backward"))
    head = f"def {name}{inspect.Signature(parameters)}:"
    if len(head) > 100:
        *positional, keywords = re.split(r", \*, ", head.removesuffix("):"))
        head = f"{', '.join(positional)}, *,\n    {keywords},\n):"
    return [
        *head.split("\n"),
        *(f"    {line}".rstrip() for line in f'"""{docstring}\n"""'.split("\n")),
        "    raise NotImplementedError",
    ]


def _docstring(function: Callable[..., Any], keep_description: bool) -> str:
    """Summary, parameters and results; a backward's description would be the solution."""
    text = inspect.getdoc(function) or ""
    parts = re.split(r"\n\n(?=\w+\n-+\n)", text)
    description, sections = parts[0], parts[1:]
    if not keep_description:
        forward = function.__name__.replace("_backward", "_forward")
        description = f"The gradients of `{forward}`, to be derived."
    kept = [part for part in sections if part.startswith(("Parameters", "Returns"))]
    text = "\n\n".join([description, *kept])
    return re.sub(r"\b\w+Cache\b", "whatever backward needs", text)
