"""How a student's layer is built: its constructor's arguments by their names, or as one says."""

import ast
import inspect
import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np

from minicnn.checking.students.classes.style import Build
from minicnn.checking.students.classes.vocabulary import STATE, meanings
from minicnn.errors import InputError

MOST_READINGS = 6
"""Ways in which the names of one constructor's arguments are read, at most."""

OTHER_NAMES = {
    "w": ("W", "weight", "weights", "kernel", "filters"), "b": ("bias", "biases"),
    "padding": ("pad", "p"), "stride": ("s",), "size": ("pool_size", "kernel_size", "f"),
    "height": ("pool_h", "kh", "HH"), "width": ("pool_w", "kw", "WW"),
    "inputs": ("n_in", "in_features", "in_channels"),
    "outputs": ("n_out", "out_features", "out_channels", "units"),
    "features": ("num_features", "channels", "C"), "rate": ("drop", "dropout_ratio"),
    "slope": ("alpha",),
}
"""What a value may be called in an expression that builds a layer, beside its meaning."""


VALUES = (
    "w", "b", "inputs", "outputs", "gamma", "beta", "running_mean", "running_var", "features",
    "momentum", "eps", "height", "width", "size", "stride", "padding", "slope", "alpha", "rate",
    "keep", "training",
)
"""What an expression that builds a layer may name."""


def readings(cls: type, operation: str) -> list[tuple[Build, frozenset[str]]]:
    """Ways to build a class by its constructor's names, likeliest first, and what they use.

    Empty where an argument that must be given has an unknown name.
    """
    choices: list[list[tuple[str, str | None]]] = []
    for name, parameter in _constructor(cls).items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            if len(_constructor(cls)) <= 2 and operation in STATE:  # they are all there is
                return []
            continue
        known = [key for key in meanings(operation, name) if not _is_flag(parameter, key)
                 and not _is_padding_in_words(parameter, operation)]
        if parameter.default is parameter.empty and not known:
            return []
        choices.append([(name, key) for key in _by_kind(known, parameter)] or [(name, None)])
    fixed = {name: "valid" for name, parameter in _constructor(cls).items()
             if _is_padding_in_words(parameter, operation)}
    found = []
    for chosen in itertools.islice(itertools.product(*choices), MOST_READINGS):
        used = {name: key for name, key in chosen if key is not None}
        if len(set(used.values())) == len(used):
            found.append((_by_names(cls, used, fixed), frozenset(used.values())))
    return found


def unknown_arguments(cls: type, operation: str) -> list[str]:
    """Arguments that must be given, and whose names say nothing; a slope that cannot be given."""
    if operation == "leaky_relu" and not _constructor(cls):
        return ["slope"]
    return [
        name for name, parameter in _constructor(cls).items()
        if parameter.default is parameter.empty and not meanings(operation, name)
    ]


def unknown_to_forward(cls: type, operation: str, method: str) -> list[str]:
    """Arguments of forward after x that must be given, and whose names say nothing."""
    parameters = list(inspect.signature(getattr(cls, method)).parameters.values())[1:]
    if operation == "softmax_cross_entropy":
        parameters = parameters[1:]
    return [
        each.name for each in parameters[1:]
        if each.default is each.empty and not meanings(operation, each.name)
        and each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)
    ]


def _constructor(cls: type) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(cls).parameters
    except (TypeError, ValueError):
        return {}


def _is_flag(parameter: inspect.Parameter, key: str) -> bool:
    """Whether an argument such as ``bias=True`` only says that there is one."""
    return isinstance(parameter.default, bool) and key not in ("training", "evaluating")


def _is_padding_in_words(parameter: inspect.Parameter, operation: str) -> bool:
    """Whether an argument such as ``padding="same"`` takes words: no rim is ``"valid"``."""
    return isinstance(parameter.default, str) and "padding" in meanings(operation, parameter.name)


def _by_kind(known: list[str], parameter: inspect.Parameter) -> list[str]:
    """An argument that is a number by its default or annotation is no array."""
    number = parameter.annotation is int or type(parameter.default) is int
    return sorted(known, key=lambda key: number and key in ("w", "b", "gamma", "beta"))


def _by_names(cls: type, used: dict[str, str], fixed: dict[str, str]) -> Build:
    def build(values: Mapping[str, Any]) -> Any:
        return cls(**fixed, **{name: values[key] for name, key in used.items() if key in values})

    return build


def by_expression(cls: type, expression: str) -> tuple[Build, frozenset[str]]:
    """The way of building that an expression says: ``"BatchNorm(gamma, beta)"``.

    Its names are meanings, or what `OTHER_NAMES` has for them, and ``np``.

    Raises
    ------
    InputError
        Where it is no call.
    """
    try:
        tree = ast.parse(expression.strip(), mode="eval")
    except SyntaxError:
        raise InputError(f"{expression.strip()!r}: expected a call such as BatchNorm(gamma, beta)",
                         argument="build") from None
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    known = {"np", cls.__name__}.union(VALUES, *(OTHER_NAMES.get(key, ()) for key in VALUES))
    if names - known:
        raise InputError(
            f"{expression.strip()!r}: {', '.join(sorted(names - known))} is unknown; expected "
            f"names among {', '.join(VALUES)}", argument="build")
    given = {key for key in VALUES if names & {key, *OTHER_NAMES.get(key, ())}}
    code = compile(tree, expression, "eval")

    def build(values: Mapping[str, Any]) -> Any:
        scope: dict[str, Any] = {"np": np, cls.__name__: cls}
        for key, value in values.items():
            scope |= dict.fromkeys((key, *OTHER_NAMES.get(key, ())), value)
        return eval(code, scope)

    return build, frozenset(given)


def class_name(expression: str) -> tuple[str, str | None]:
    """The class that an expression builds, and the operation before a colon, if any.

    Raises
    ------
    InputError
        Where it is no call of a name.
    """
    operation, colon, call = expression.rpartition(":")
    name = call.partition("(")[0].strip()
    if not name.isidentifier() or not call.strip().endswith(")"):
        raise InputError(f"expected a call such as BatchNorm(gamma, beta), got {expression!r}",
                         argument="build")
    return name, operation.strip() if colon else None

