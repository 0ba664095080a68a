"""Is a backward the gradient of its forward?  Central differences, and what may fool them."""

import inspect
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal

import numpy as np

from minicnn.checking.gradient_calls import (
    as_inputs,
    misplaced_dy,
    require_arguments,
    require_parameters,
)
from minicnn.checking.gradient_comparison import by_element, by_projection
from minicnn.checking.gradient_report import GradientReport, InputGradient
from minicnn.checking.gradient_subject import Stop, Subject

TOLERANCES = {np.dtype(np.float32): 2e-4, np.dtype(np.float64): 1e-7}
"""Of a gradient, relative to the largest element that was expected or came, by dtype."""


def gradcheck(
    function: Callable[..., Any],
    inputs: Any,
    *more: Any,
    backward: Callable[..., Any],
    dy: Any = None,
    mode: Literal["full", "fast"] = "full",
    wrt: Sequence[int] | None = None,
    tolerance: float | None = None,
    projections: int = 8,
    seed: int = 0,
    names: Sequence[str] | None = None,
) -> GradientReport:
    """Compare a backward with extrapolated central differences of its forward.

    The gradient of ``L = Σ y · dy`` is measured along single elements or along random directions
    (see `minicnn.checking.differences.slope`), so that each comparison comes with its own
    uncertainty. Elements at which the function has a kink (ReLU at 0, a tie in max pooling, a
    decision that flips inside every step) are left out and named.

    Parameters
    ----------
    function : callable
        ``function(*inputs)`` returns y, an array or a number (a loss), or a tuple that begins
        with y.
    inputs : array, or list or tuple of array_like
        Of float32 or float64, one for each parameter of function: a list of numbers is as many
        inputs. Arrays of integers (labels, indices) are handed on as they are.
    *more
        Must be empty: all that follows is given by name.
    backward : callable
        ``backward(dy, *rest)``, where rest is what function returned after y, mostly a cache.
        Returns the gradient, or the list or tuple of gradients of the checked inputs in their
        order; ``None`` for one that is not to be checked.
    dy : array_like of y's shape, optional
        Upstream gradient. By default random and normal. One that hides terms is refused: constant,
        or a multiple of y up to a constant. Batch norm's dx, for one, is 0 for both whatever
        the fault.
    mode : {"full", "fast"}
        ``"full"`` moves every element by itself and names the worst; ``"fast"`` moves all elements
        of an input at once, along random directions with a new dy each (unless dy is given).
    wrt : sequence of int, optional
        Positions of the inputs to check; by default all that are float.
    tolerance : float, optional
        Accepted error relative to the gradient's largest element, beyond the uncertainty; 1e-7
        for float64 and 2e-4 for float32.
    projections : int, default 8
        How many directions the fast mode takes for each input.
    seed : int, default 0
        Of dy and of the directions.
    names : sequence of str, optional
        What the report calls the inputs; by default as function does.

    Returns
    -------
    GradientReport
        ``str()`` of it says everything; ``.passed`` and ``.require()`` are for tests.

    Raises
    ------
    ValueError
        Where dy has not y's shape or hides terms, no input is a float array, or an option is out
        of range.
    TypeError
        Where function or backward does not take what it is given, or gives anything but real
        numbers, or inputs are none.

    An exception of function or backward itself passes through, with a note of how it was called.

    References
    ----------
    L. F. Richardson, "The approximate arithmetical solution by finite differences …", Phil. Trans.
    R. Soc. A 210 (1911) 307-357.

    Examples
    --------
    >>> import numpy as np
    >>> from minicnn import ops
    >>> from minicnn.checking import gradcheck
    >>> x, w = np.random.default_rng(0).standard_normal((2, 3, 3))
    >>> def forward(x, w):
    ...     return ops.dense_forward(x, w)
    >>> def backward(dy, cache):
    ...     dx, dw, _ = ops.dense_backward(dy, cache)
    ...     return dx, dw.T
    >>> report = gradcheck(forward, (x, w), backward=backward)
    >>> report.verdict, [gradient.agrees for gradient in report.gradients]
    ('wrong', [True, False])
    """
    if mode not in ("full", "fast"):
        raise ValueError(f"gradcheck: mode must be full or fast, got {mode!r}")
    require_arguments(function, inputs, more, backward)
    arrays = as_inputs(inputs)
    require_parameters(function, inputs, arrays)
    chosen = [at for at, array in enumerate(arrays) if array.dtype.kind == "f"]
    chosen = chosen if wrt is None else list(wrt)
    _require_options(arrays, chosen, tolerance, projections, names)
    if not chosen or any(arrays[at].dtype not in TOLERANCES for at in chosen):
        raise ValueError(
            "gradcheck: expected float32 or float64 inputs to check, got "
            + (", ".join(str(array.dtype) for array in arrays) or "none")
            + "; x.astype(float) makes float64"
        )
    try:
        called = list(names) if names else _names(function, len(arrays))
        subject = Subject(function, backward, arrays, chosen, called, _generator(seed))
        given = subject.upstream(dy)
        gradients = subject.gradients(given)
        compare: Callable[..., None] = by_element if mode == "full" else partial(
            by_projection, own_dy=dy is None, projections=projections
        )
        found = []
        for at, gradient in zip(chosen, gradients, strict=True):
            if gradient is None:
                continue
            if arrays[at].size:
                limit = TOLERANCES[arrays[at].dtype] if tolerance is None else tolerance
                result = InputGradient(subject.names[at], limit)
                compare(result, subject, at, gradient, given)
                found.append(result)
    except Stop as stop:
        return stop.report
    report = _judge(found)
    if report.verdict == "wrong":
        report.message += misplaced_dy(backward)
    return report


def _require_options(
    arrays: list[np.ndarray], chosen: list[int], tolerance: float | None, projections: int,
    names: Sequence[str] | None,
) -> None:
    """Refuse options that would make a check of nothing."""
    if any(not -len(arrays) <= at < len(arrays) for at in chosen):
        raise ValueError(f"gradcheck: wrt must name inputs 0 to {len(arrays) - 1}, got {chosen}")
    if tolerance is not None and not tolerance > 0:
        raise ValueError(f"gradcheck: tolerance must be above 0, got {tolerance!r}")
    if projections < 1:
        raise ValueError(f"gradcheck: projections must be at least 1, got {projections!r}")
    if names is not None and len(names) != len(arrays):
        raise ValueError(f"gradcheck: expected {len(arrays)} names, got {len(names)}")


def _generator(seed: int) -> np.random.Generator:
    """A stream that no test draws its inputs from: dy must have nothing to do with x."""
    return np.random.default_rng([seed, *b"gradcheck"])


def _names(function: Callable[..., Any], count: int) -> list[str]:
    """The names of a function's parameters, or numbers."""
    try:
        names = list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        names = []
    return [names[at] if at < len(names) else f"input{at}" for at in range(count)]


def _judge(found: list[InputGradient]) -> GradientReport:
    """The verdict on all gradients together."""
    wrong = [result for result in found if not result.agrees]
    if wrong:
        worst = max(wrong, key=lambda result: result.error)
        return GradientReport(
            "wrong",
            f"d{worst.name}{list(worst.worst) if worst.worst else ''} should be "
            f"{worst.expected:.10g}, got {worst.received:.10g}",
            found,
        )
    undecided = [
        result for result in found
        if not result.checked or result.checked < len(result.kinks) + len(result.doubtful)
    ]
    if not found:
        return GradientReport("inconclusive", "backward returned no gradient to check", found)
    if undecided:
        names = ", ".join(f"d{result.name}" for result in undecided)
        return GradientReport(
            "inconclusive", f"most elements of {names} could not be compared", found
        )
    error = max(result.error for result in found)
    return GradientReport("correct", f"the largest relative error is {error:.1e}", found)
