"""The classes of a student's file that can be judged, and why others cannot."""

import inspect
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from minicnn.checking.students.classes.building import (
    by_expression,
    class_name,
    readings,
    unknown_arguments,
    unknown_to_forward,
)
from minicnn.checking.students.classes.settle import pair_of, settled
from minicnn.checking.students.classes.style import Style
from minicnn.checking.students.classes.vocabulary import BACKWARDS, FORWARDS, operation_of
from minicnn.checking.students.operations import OPERATIONS
from minicnn.checking.students.pair import Pair
from minicnn.errors import InputError


def class_pairs(
    own: Mapping[str, Any], path: Path, builds: Sequence[str] = ()
) -> list[Pair]:
    """The classes that are layers of an operation, in the catalogue's order.

    Parameters
    ----------
    own : mapping
        What the file defines, by name.
    path : Path
        The file.
    builds : sequence of str
        How classes are built: ``"BatchNorm(gamma, beta)"``, or with the operation before a colon
        where the name does not say it: ``"batchnorm: Norm(gamma, beta)"``.

    Raises
    ------
    InputError
        Where one names no class of the file, or no operation.
    """
    said = dict(_said(own, builds))
    found: list[tuple[str, Pair]] = []
    for name, cls in own.items():
        methods = methods_of(cls)
        if methods is None or name != getattr(cls, "__name__", name):
            continue
        expression, operation = said.get(name, (None, operation_of(name)))
        if operation is None:
            continue
        ways = [by_expression(cls, expression)] if expression else readings(cls, operation)
        if not ways or unknown_to_forward(cls, operation, methods[0]):
            continue
        if operation == "leaky_relu" and not ways[0][1]:  # nobody knows its slope
            continue
        build, given = ways[0]
        style = Style(cls, operation, *methods, build, given)
        settle = partial(settled, cls, operation, methods, path, expression)
        found.append((operation, pair_of(style, settle)))
    order = list(OPERATIONS)
    return [pair for _, pair in sorted(found, key=lambda each: order.index(each[0]))]


def _said(own: Mapping[str, Any], builds: Iterable[str]) -> Iterable[tuple[str, tuple[str, str]]]:
    """What is said of how classes are built, by the class."""
    for expression in builds:
        name, operation = class_name(expression)
        if methods_of(own.get(name)) is None:
            raise InputError(f"{expression!r}: the file has no class {name} with a forward and a "
                             "backward", argument="build")
        operation = operation or operation_of(name)
        if operation not in OPERATIONS:
            raise InputError(
                f"{expression!r}: expected an operation before a colon, such as "
                f"batchnorm: {name}(gamma, beta)", argument="build")
        yield name, (expression.rpartition(":")[2], operation)


def methods_of(cls: Any) -> tuple[str, str] | None:
    """The names of a class's forward and backward; None where it has not both."""
    if not isinstance(cls, type):
        return None
    forward = next((name for name in FORWARDS if callable(getattr(cls, name, None))), None)
    backward = next((name for name in BACKWARDS if callable(getattr(cls, name, None))), None)
    if forward is None or backward is None:
        return None
    first = next(iter(inspect.signature(getattr(cls, forward)).parameters), "")
    return (forward, backward) if first not in ("ctx", "context") else None


def why_not(name: str, cls: Any) -> str:
    """Why a class that seems to be a layer is not judged, in words; mostly empty."""
    operation, methods = operation_of(name), methods_of(cls)
    if operation is None or methods is None:
        return ""
    unknown = unknown_arguments(cls, operation)
    if unknown:
        return f"how is it built? unknown: {', '.join(unknown)}"
    unknown = unknown_to_forward(cls, operation, methods[0])
    return f"how is {methods[0]} called? unknown: {', '.join(unknown)}" if unknown else ""
