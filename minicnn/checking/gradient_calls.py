"""How `gradcheck` reads what it is given: inputs, two functions, and what these return."""

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np


def require_arguments(function: Any, inputs: Any, more: tuple[Any, ...], backward: Any) -> None:
    """Refuse arguments in the wrong places, and functions that are none."""
    if more:
        raise TypeError(
            f"gradcheck: expected a function and its inputs, got {len(more)} more without a name; "
            "call gradcheck(function, x, backward=…, dy=…), or with several inputs "
            "gradcheck(function, (x, w), backward=…)"
        )
    for name, value in (("function", function), ("backward", backward)):
        if not callable(value):
            raise TypeError(
                f"gradcheck: {name} must be a function, got {_kind(value)}"
                + "; check_layer checks layers" * hasattr(value, "forward")
            )
    if callable(inputs) and not hasattr(inputs, "__array__"):
        raise TypeError(
            f"gradcheck: inputs must be arrays, got {_kind(inputs)}; "
            "call gradcheck(function, x, backward=…)"
        )


def as_inputs(inputs: Any) -> list[np.ndarray]:
    """Copies of the inputs: one for each element of a list or tuple, else one array."""
    given = inputs if isinstance(inputs, list | tuple) else [inputs]
    arrays = []
    for at, each in enumerate(given):
        array = _array(each)
        if array is None or array.dtype.hasobject:
            raise TypeError(
                f"gradcheck: input {at} must be an array of numbers, got {_kind(each)}; give "
                "several inputs as (x, w), and hand other objects on in function itself, "
                "lambda x: f(x, other)"
            )
        arrays.append(array)
    return arrays


def require_parameters(function: Callable[..., Any], inputs: Any, arrays: list[np.ndarray]) -> None:
    """Refuse inputs that are not as many as a function takes."""
    if fits(function, arrays):
        return
    read = f"one input of shape {arrays[0].shape}"
    if isinstance(inputs, list | tuple):
        shapes = ", ".join(str(array.shape) for array in arrays[:4]) + " …" * (len(arrays) > 4)
        read = f"{len(arrays)} inputs, the elements of a {_kind(inputs)}, of shapes {shapes}"
    raise TypeError(
        f"gradcheck: inputs was read as {read}, but function takes {inspect.signature(function)}; "
        "give one array as np.array(…), several as (x, w), in the order of function's parameters"
    )


def require_backward(backward: Callable[..., Any], rest: tuple[Any, ...]) -> None:
    """Refuse a backward that cannot take dy and what function returned after y."""
    if fits(backward, (None, *rest)):
        return
    called = ", ".join(["dy", *map(_kind, rest)])
    raise TypeError(
        "gradcheck: backward is called with dy and what function returned after y, "
        f"backward({called}), but takes {inspect.signature(backward)}; "
        "let function return (y, cache) and backward take (dy, cache)"
    )


def fits(function: Callable[..., Any], arguments: Sequence[Any]) -> bool:
    """Whether a function takes so many arguments; true where it does not tell."""
    try:
        inspect.signature(function).bind(*arguments)
    except TypeError:
        return False
    except ValueError:  # some of those that are written in C
        return True
    return True


def misplaced_dy(backward: Callable[..., Any]) -> str:
    """What may be the reason that gradients are wrong: dy is not the first parameter."""
    try:
        names = list(inspect.signature(backward).parameters)
    except (TypeError, ValueError):
        return ""
    if not {"dy", "dout", "grad_output"} & set(names[1:]):
        return ""
    return f"; dy is given first, but the parameters of backward are ({', '.join(names)})"


@contextmanager
def introduced(who: str, names: Sequence[str], arguments: Sequence[Any]) -> Iterator[None]:
    """Let an exception of the caller's function go on, with a note of how it was called."""
    try:
        yield
    except Exception as error:
        called = ", ".join(
            f"{name} {_kind(value)}".strip() for name, value in zip(names, arguments, strict=True)
        )
        error.add_note(f"gradcheck: the error is one of {who} itself, called as {who}({called})")
        raise


def split(result: Any) -> tuple[Any, tuple[Any, ...]]:
    """What a forward returned, as y and the arguments that backward takes after dy."""
    return (result[0], result[1:]) if isinstance(result, tuple) and result else (result, ())


def as_output(result: Any) -> np.ndarray:
    """A copy of the y that a forward returned, alone or before others."""
    value, _ = split(result)
    y = None if isinstance(value, tuple) and not value else _array(value)
    if y is None or y.dtype.kind not in "biuf":
        first = " first" if isinstance(result, tuple) and result else ""
        dtype = "" if y is None or not isinstance(value, np.ndarray) else f" of dtype {y.dtype}"
        raise TypeError(
            "gradcheck: function must return real numbers, y or a tuple (y, cache), got "
            f"{_kind(value)}{dtype}{first}"
        )
    return y


def as_gradient(name: str, value: Any) -> np.ndarray:
    """One gradient that a backward returned."""
    gradient = _array(value)
    if gradient is None or gradient.dtype.kind not in "biuf":
        what = _kind(value) if gradient is None or gradient.dtype.hasobject else gradient.dtype
        raise TypeError(f"gradcheck: d{name} must be an array of real numbers, got {what}")
    return gradient


def gradients_lacking(returned: Sequence[Any], names: Sequence[str], alone: bool) -> str:
    """What to say where a backward returned another number of gradients than inputs."""
    wanted = f"backward must return {len(names)} gradient{'s' * (len(names) != 1)}"
    if len(names) > 1:
        wanted += f", ({', '.join('d' + name for name in names)})"
    got = f"got {len(returned)}"
    if alone:
        got += f", {_kind(returned[0])}"
    elif len(names) == 1:
        got += ", the elements of a list or tuple; return an array"
    return f"{wanted}, {got}"


def _array(value: Any) -> np.ndarray | None:
    """A copy as an array; None where NumPy makes none, as of a list of rows of several lengths."""
    try:
        return np.array(value)
    except (TypeError, ValueError):
        return None


def _kind(value: Any) -> str:
    """A value in few words."""
    if isinstance(value, np.ndarray):
        return f"{value.shape} {value.dtype}"
    return type(value).__name__ if value is not None else "None"
