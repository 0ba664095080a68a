"""What `gradcheck` checks: a forward and its backward at one point, and the upstream gradient."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn.checking.differences import first_step, noise_level
from minicnn.checking.gradient_calls import (
    as_gradient,
    as_output,
    gradients_lacking,
    introduced,
    misplaced_dy,
    require_backward,
    split,
)
from minicnn.checking.gradient_report import GradientReport, Verdict


class Stop(Exception):
    """A verdict that needs no difference quotient."""

    def __init__(self, verdict: Verdict, message: str) -> None:
        self.report = GradientReport(verdict, message)


class Subject:
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
            raise Stop(
                "random",
                "two calls on the same inputs gave different outputs; let each call draw from a "
                "new generator of one seed",
            )
        if not np.isfinite(self.y).all():
            at = np.argwhere(~np.isfinite(self.y))[0].tolist()
            raise Stop("not finite", f"the output is {self.y[tuple(at)]} at {at}")

    def _call(self, copies: list[np.ndarray]) -> Any:
        """What function returns."""
        with introduced("function", self.names, copies):
            return self.function(*copies)

    def _forward(self) -> np.ndarray:
        copies = [array.copy() for array in self.inputs]
        y = as_output(self._call(copies))
        self._require_unchanged(copies, "forward")
        return y

    def _require_unchanged(self, copies: list[np.ndarray], who: str) -> None:
        for name, before, after in zip(self.names, self.inputs, copies, strict=True):
            if not np.array_equal(before, after, equal_nan=before.dtype.kind in "fc"):
                raise Stop(
                    "changes its inputs",
                    f"{who} changed its input {name} in place; let it work on a copy",
                )

    def upstream(self, dy: Any) -> np.ndarray:
        """The dy that was given, if it is of use, or a random one."""
        if dy is None:
            return self.random_upstream()
        given = as_gradient("y", dy).astype(np.float64)
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
        _, rest = split(self._call(copies))
        require_backward(self.backward, rest)
        sent = dy.astype(self.y.dtype if self.y.dtype.kind == "f" else np.float64)
        kept = sent.copy()
        with introduced("backward", ["dy", *[""] * len(rest)], (sent, *rest)):
            returned = self.backward(sent, *rest)
        if not np.array_equal(sent, kept):
            raise Stop("changes its inputs", "backward changed dy in place; let it work on a copy")
        self._require_unchanged(copies, "backward")
        alone = not isinstance(returned, list | tuple)
        given = [returned] if alone else returned
        if len(given) != len(self.chosen):
            names = [self.names[at] for at in self.chosen]
            raise Stop("wrong shape", gradients_lacking(given, names, alone))
        return [self._gradient(at, value) for at, value in zip(self.chosen, given, strict=True)]

    def _gradient(self, at: int, value: Any) -> np.ndarray | None:
        if value is None:
            return None
        name, gradient = self.names[at], as_gradient(self.names[at], value)
        if gradient.shape != self.inputs[at].shape:
            raise Stop(
                "wrong shape",
                f"d{name} must have the shape of {name}, {self.inputs[at].shape}, "
                f"got {gradient.shape}{misplaced_dy(self.backward)}",
            )
        if not np.isfinite(gradient).all():
            place = np.argwhere(~np.isfinite(gradient))[0].tolist()
            raise Stop("not finite", f"d{name} is {gradient[tuple(place)]} at {place}")
        return gradient.astype(np.float64)

    def rise(self, at: int, direction: np.ndarray, dy: np.ndarray) -> Callable[[float], float]:
        """``t -> Σ (y(x + t·direction) - y(x)) · dy``."""
        x = self.inputs[at]
        y = self.y.astype(np.float64)

        def rise(t: float) -> float:
            moved = [array.copy() for array in self.inputs]
            moved[at] = (x + t * direction).astype(x.dtype)
            higher = as_output(self._call(moved)).astype(np.float64)
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
