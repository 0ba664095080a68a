"""Is a backward the gradient of its forward?  Central differences, and what may fool them."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from minicnn.checking.differences import DOUBTFUL, Slope, first_step, noise_level, slope
from minicnn.checking.gradient_report import GradientReport, Index, InputGradient, Verdict

TOLERANCES = {np.dtype(np.float32): 2e-4, np.dtype(np.float64): 1e-7}
"""Of a gradient, relative to the largest element that was expected or came, by dtype."""

KINKS = 10
"""By how much the sum of many kinks along a random direction may exceed what is seen of it."""

WANTED = 0.1
"""Uncertainty of a slope that is asked for, as a part of the tolerance."""


class _Stop(Exception):
    """A verdict that needs no difference quotient."""

    def __init__(self, verdict: Verdict, message: str) -> None:
        self.report = GradientReport(verdict, message)


def gradcheck(
    function: Callable[..., Any],
    inputs: Any,
    dy: Any = None,
    *,
    backward: Callable[..., Any],
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
        ``function(*inputs)`` returns y, an array or a number, or a tuple that begins with y.
    inputs : array_like or sequence of array_like
        Arrays of float32 or float64. Others (labels, indices) are handed on as they are.
    dy : array_like of y's shape, optional
        Upstream gradient. By default random and normal. One that hides terms is refused: constant,
        or a multiple of y up to a constant. Batch norm's dx, for one, is 0 for both whatever
        the fault.
    backward : callable
        ``backward(dy, *rest)``, where rest is what function returned after y, mostly a cache.
        Returns the gradient, or the sequence of gradients of the checked inputs in their order;
        ``None`` for one that is not to be checked.
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
        Where `function` gives anything but real numbers.

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
    arrays = [np.array(each) for each in (inputs if isinstance(inputs, list | tuple) else [inputs])]
    chosen = [at for at, array in enumerate(arrays) if array.dtype.kind == "f"]
    chosen = chosen if wrt is None else list(wrt)
    _require_options(arrays, chosen, tolerance, projections, names)
    if not chosen or any(arrays[at].dtype not in TOLERANCES for at in chosen):
        raise ValueError(
            "gradcheck: expected float32 or float64 inputs to check, got "
            + ", ".join(str(array.dtype) for array in arrays)
        )
    try:
        called = list(names) if names else _names(function, len(arrays))
        subject = _Subject(function, backward, arrays, chosen, called, _generator(seed))
        given = subject.upstream(dy)
        gradients = subject.gradients(given)
        compare = _by_element if mode == "full" else _by_projection
        found = []
        for at, gradient in zip(chosen, gradients, strict=True):
            if gradient is None:
                continue
            if arrays[at].size:
                limit = TOLERANCES[arrays[at].dtype] if tolerance is None else tolerance
                result = InputGradient(subject.names[at], limit)
                compare(result, subject, at, gradient, given, dy is None, projections)
                found.append(result)
    except _Stop as stop:
        return stop.report
    return _judge(found)


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


class _Subject:
    """A forward and its backward at one point."""

    def __init__(
        self,
        function: Callable[..., Any],
        backward: Callable[..., Any],
        inputs: list[np.ndarray],
        chosen: list[int],
        names: list[str],
        rng: np.random.Generator,
    ) -> None:
        self.function, self.backward = function, backward
        self.inputs, self.chosen, self.names, self.rng = inputs, chosen, names, rng
        self.y = self._forward()
        if not np.array_equal(self.y, self._forward(), equal_nan=True):
            raise _Stop("random", "two calls on the same inputs gave different outputs")
        if not np.isfinite(self.y).all():
            at = np.argwhere(~np.isfinite(self.y))[0].tolist()
            raise _Stop("not finite", f"the output is {self.y[tuple(at)]} at {at}")

    def _forward(self) -> np.ndarray:
        copies = [array.copy() for array in self.inputs]
        y = np.array(_split(self.function(*copies))[0])
        if y.dtype.kind not in "biuf":
            raise TypeError(f"gradcheck: function must return real numbers, got dtype {y.dtype}")
        self._require_unchanged(copies, "forward")
        return y

    def _require_unchanged(self, copies: list[np.ndarray], who: str) -> None:
        for name, before, after in zip(self.names, self.inputs, copies, strict=True):
            if not np.array_equal(before, after, equal_nan=True):
                raise _Stop("changes its inputs", f"{who} changed its input {name} in place")

    def upstream(self, dy: Any) -> np.ndarray:
        """The dy that was given, if it is of use, or a random one."""
        if dy is None:
            return self.random_upstream()
        given = np.asarray(dy, np.float64)
        if given.shape != self.y.shape:
            raise ValueError(
                f"gradcheck: dy must have the shape of y, {self.y.shape}, got {given.shape}"
            )
        if not np.isfinite(given).all():
            raise ValueError("gradcheck: dy must be finite")
        if not given.any():
            raise ValueError("gradcheck: dy must not be all zeros, which hide everything")
        if hides_terms(given, self.y):
            raise ValueError(
                "gradcheck: dy is constant or a multiple of y, which hides terms of a gradient; "
                "leave it out, or take random numbers"
            )
        return given

    def random_upstream(self) -> np.ndarray:
        """Normal numbers of y's shape."""
        return self.rng.standard_normal(self.y.shape)

    def gradients(self, dy: np.ndarray) -> list[np.ndarray | None]:
        """What backward returns for the chosen inputs, checked for shape and finiteness."""
        copies = [array.copy() for array in self.inputs]
        _, cache = _split(self.function(*copies))
        sent = dy.astype(self.y.dtype if self.y.dtype.kind == "f" else np.float64)
        kept = sent.copy()
        returned = self.backward(sent, *cache)
        if not np.array_equal(sent, kept):
            raise _Stop("changes its inputs", "backward changed dy in place")
        self._require_unchanged(copies, "backward")
        if not isinstance(returned, list | tuple):
            returned = (returned,)
        if len(returned) != len(self.chosen):
            raise _Stop(
                "wrong shape",
                f"backward must return {len(self.chosen)} gradients, got {len(returned)}",
            )
        return [self._gradient(at, value) for at, value in zip(self.chosen, returned, strict=True)]

    def _gradient(self, at: int, value: Any) -> np.ndarray | None:
        if value is None:
            return None
        name, gradient = self.names[at], np.asarray(value)
        if gradient.dtype.kind not in "biuf":
            raise TypeError(f"gradcheck: d{name} must be real numbers, got {gradient.dtype}")
        if gradient.shape != self.inputs[at].shape:
            raise _Stop(
                "wrong shape",
                f"d{name} must have the shape of {name}, {self.inputs[at].shape}, "
                f"got {gradient.shape}",
            )
        if not np.isfinite(gradient).all():
            place = np.argwhere(~np.isfinite(gradient))[0].tolist()
            raise _Stop("not finite", f"d{name} is {gradient[tuple(place)]} at {place}")
        return gradient.astype(np.float64)

    def rise(self, at: int, direction: np.ndarray, dy: np.ndarray) -> Callable[[float], float]:
        """``t -> Σ (y(x + t·direction) - y(x)) · dy``."""
        x = self.inputs[at]
        y = self.y.astype(np.float64)

        def rise(t: float) -> float:
            moved = [array.copy() for array in self.inputs]
            moved[at] = (x + t * direction).astype(x.dtype)
            higher = np.asarray(_split(self.function(*moved))[0], np.float64)
            return float(((higher - y) * dy).sum()) if higher.shape == y.shape else np.nan

        return rise

    def rounding(self, at: int, dy: np.ndarray) -> float:
        """How far a rise may be off: because y is rounded, and because of what went before."""
        x = self.inputs[at].astype(np.float64)
        precision = float(np.finfo(self._dtype()).eps)
        last = precision * np.linalg.norm(self.y.astype(np.float64) * dy)
        tiny = precision ** (2 / 3) * (float(np.sqrt(np.square(x).mean())) or 1.0)
        levels = [
            noise_level(self.rise(at, self.rng.standard_normal(x.shape), dy), tiny)
            for _ in range(3)
        ]
        return max(float(last), 2 * float(np.median(levels)))

    def _dtype(self) -> np.dtype:
        """The least precise float among the inputs and y."""
        kinds = [self.inputs[at].dtype for at in self.chosen]
        kinds += [self.y.dtype] * (self.y.dtype.kind == "f")
        return min(kinds, key=lambda dtype: dtype.itemsize)

    def step(self, at: int, size: float) -> float:
        """The first step for a value of this size."""
        return first_step(float(np.finfo(self._dtype()).eps), size)


def _split(result: Any) -> tuple[Any, tuple]:
    """What a forward returned, as y and the arguments that backward takes after dy."""
    return (result[0], tuple(result[1:])) if isinstance(result, tuple) else (result, ())


def hides_terms(dy: np.ndarray, y: np.ndarray) -> bool:
    """Whether dy is a multiple of y plus a constant, as a whole or in every slice along an axis."""
    axes = range(y.ndim) if y.ndim > 1 else ()
    return _is_affine(dy[None], y[None]) or any(
        _is_affine(np.moveaxis(dy, axis, 0), np.moveaxis(y, axis, 0)) for axis in axes
    )


def _is_affine(dy: np.ndarray, y: np.ndarray) -> bool:
    """Whether ``dy[i] = a_i · y[i] + b_i`` for every i; never for slices of two elements or one."""
    if y[0].size <= 2:
        return False
    for part, values in zip(dy, y, strict=True):
        basis = np.stack([np.ones(values.size), values.ravel()], axis=1)  # (size, 2)
        rest = part.ravel() - basis @ np.linalg.lstsq(basis, part.ravel(), rcond=None)[0]
        if np.linalg.norm(rest) > 1e-6 * np.linalg.norm(part):
            return False
    return True


def _names(function: Callable[..., Any], count: int) -> list[str]:
    """The names of a function's parameters, or numbers."""
    try:
        names = list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        names = []
    return [names[at] if at < len(names) else f"input{at}" for at in range(count)]


def _by_element(
    result: InputGradient, subject: _Subject, at: int, gradient: np.ndarray, dy: np.ndarray,
    *_: Any,
) -> None:
    """Move one element after the other."""
    x = subject.inputs[at].astype(np.float64)
    typical = float(np.sqrt(np.square(x).mean())) or 1.0
    rounding = subject.rounding(at, dy)
    wanted = WANTED * result.tolerance * max(float(np.abs(gradient).max(initial=0)), 1e-300)
    compared: list[tuple[Index, float, Slope]] = []
    for place in np.ndindex(x.shape):
        direction = np.zeros_like(x)
        direction[place] = 1
        step = subject.step(at, max(abs(float(x[place])), typical))
        rise, received = subject.rise(at, direction, dy), float(gradient[place])
        found = slope(rise, step, rounding, wanted)
        found = _confirmed(rise, step, rounding, wanted, received, found)
        compared.append((place, received, found))
    _compare(result, compared)


def _confirmed(
    rise: Callable[[float], float], step: float, rounding: float, wanted: float, received: float,
    found: Slope,
) -> Slope:
    """A slope that differs from the gradient that came, unless a smaller step sides with that.

    A function that oscillates faster than the first step suggests may fool one step, not several.
    """
    for smaller in (step / 7, step / 49, step / 343):
        off = abs(received - found.value)
        if found.kink or not off > wanted / WANTED + found.uncertainty:
            break
        other = slope(rise, smaller, rounding, wanted)
        agrees = abs(received - other.value) <= wanted / WANTED + other.uncertainty
        if agrees and other.uncertainty <= DOUBTFUL * wanted and not other.kink:
            return other
        if other.uncertainty <= DOUBTFUL * wanted and other.value != found.value and (
            abs(other.value - found.value) > wanted / WANTED + other.uncertainty
        ):
            found = Slope(found.value, abs(other.value - found.value), kink=False)
    return found


def _by_projection(
    result: InputGradient, subject: _Subject, at: int, gradient: np.ndarray, dy: np.ndarray,
    own_dy: bool, projections: int,
) -> None:
    """Move all elements along random directions."""
    x = subject.inputs[at].astype(np.float64)
    size = float(np.sqrt(np.square(x).mean())) or 1.0
    compared: list[tuple[Index, float, Slope]] = []
    for number in range(projections):
        direction = subject.rng.standard_normal(x.shape)
        if own_dy and number:
            dy = subject.random_upstream()
            gradient = _required(subject.gradients(dy)[subject.chosen.index(at)])
        received = float((gradient * direction).sum())
        reach = float(np.linalg.norm(gradient))
        found = slope(
            subject.rise(at, direction, dy), subject.step(at, size), subject.rounding(at, dy),
            WANTED * result.tolerance * max(reach, 1e-300),
        )
        if found.kink:  # its size is no bound of what many kinks contribute, but of the order of it
            found = Slope(found.value, KINKS * found.uncertainty, kink=False)
        result.scale = max(result.scale, reach)
        compared.append(((number,), received, found))
    _compare(result, compared)


def _required(gradient: np.ndarray | None) -> np.ndarray:
    if gradient is None:
        raise _Stop("wrong shape", "backward returned a gradient first and then None")
    return gradient


def _compare(result: InputGradient, compared: list[tuple[Index, float, Slope]]) -> None:
    """Fill in what the measured slopes say about the gradient that came."""
    smooth = [entry for entry in compared if not entry[2].kink]
    result.kinks = [place for place, _, found in compared if found.kink]
    values = [abs(value) for _, received, found in smooth for value in (received, found.value)]
    result.scale = max([result.scale, *(value for value in values if np.isfinite(value))])
    scale = result.scale or 1.0
    furthest = -np.inf
    for place, received, found in smooth:
        uncertainty = found.uncertainty / scale
        error = abs(received - found.value) / scale
        differs = error > result.tolerance + uncertainty
        if not differs and not uncertainty <= DOUBTFUL * WANTED * result.tolerance:
            result.doubtful.append(place)
            continue
        result.checked += 1
        if error - uncertainty > furthest:
            furthest = error - uncertainty
            result.worst, result.error, result.uncertainty = place, error, uncertainty
            result.expected, result.received = found.value, received


def _judge(found: list[InputGradient]) -> GradientReport:
    """The verdict on all gradients together."""
    wrong = [result for result in found if not result.agrees]
    if wrong:
        worst = max(wrong, key=lambda result: result.error)
        return GradientReport(
            "wrong",
            f"d{worst.name}{list(worst.worst or ())} should be {worst.expected:.10g}, "
            f"got {worst.received:.10g}",
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
