"""The update rules, made of pieces: what several steps give, and what they give with a fault.

A rule is a step that asks its pieces, such as the denominator, one after the other. A fault
replaces a piece. So two faults together are two replaced pieces.

A case is a walk of several steps: w to begin with, the gradients g (steps, *w.shape), and what is
kept of earlier steps where the case gives it. The answer of a walk is what each step adds to w:
(steps, *w.shape).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.operations.operation import Operation

Piece = Callable[..., Any]
Pieces = Mapping[str, Piece]
State = dict[str, Any]
Step = Callable[[Pieces, np.ndarray, np.ndarray, State, Mapping[str, Any]], np.ndarray]


@dataclass(frozen=True)
class Variation:
    """A rule with other pieces.

    Attributes
    ----------
    fault : str or None
        Its id; None for what is wrong and in no catalogue.
    pieces : dict
        By the name of the piece that each replaces.
    detail : str
        One sentence about it.
    """

    fault: str | None
    pieces: dict[str, Piece]
    detail: str = ""


@dataclass
class UpdateRule(Operation):
    """An update rule.

    Attributes
    ----------
    step : callable
        Pieces, w, g, the state (changed in place) and the settings to what is added to w.
    pieces : dict
        The right ones.
    state : tuple of str
        The arrays that it keeps; `t`, if it counts steps, is kept beside them.
    defaults : dict
        The settings that hold where nobody gives any.
    also_right_pieces : list of dict
        Other forms that are as right.
    variations : list of Variation
        Likeliest first.
    topic : str
        Of its equations.
    """

    step: Step = field(kw_only=True)
    pieces: dict[str, Piece] = field(kw_only=True)
    state: tuple[str, ...] = ()
    defaults: dict[str, Any] = field(default_factory=dict)
    also_right_pieces: list[dict[str, Piece]] = field(default_factory=list)
    variations: list[Variation] = field(default_factory=list)
    topic: str = ""

    def right_forward(self, case: Case) -> np.ndarray:
        """What each step of a walk adds to w."""
        return self.walk(case)

    def walk(self, case: Case, pieces: Pieces | None = None) -> np.ndarray:
        """What each step of a walk adds to w, with some pieces replaced."""
        return self.follow(case, pieces)[0]

    def follow(self, case: Case, pieces: Pieces | None = None) -> tuple[np.ndarray, State]:
        """What each step adds to w, and what is kept after the last."""
        every = {**_START, **self.pieces, **(pieces or {})}
        settings = {**self.defaults, **case.settings}
        w = case["w"].copy()
        state: State = {
            name: case.arrays[name].copy() if name in case.arrays else np.zeros_like(w)
            for name in self.state
        }
        state["t"] = settings.get("t", 0)
        added = []
        with np.errstate(all="ignore"):
            for g in case["g"]:
                step = self.step(every, w, g, state, settings)
                added.append(np.asarray(every["start"](w) + step))
                w = w + added[-1]
        return np.stack(added), state


def sgd(pieces: Pieces, w: np.ndarray, g: np.ndarray, state: State, its: Any) -> np.ndarray:
    """w += -lr · g."""
    return pieces["step"](g, its["lr"])


def momentum(pieces: Pieces, w: np.ndarray, g: np.ndarray, state: State, its: Any) -> np.ndarray:
    """v = momentum · v - lr · g; w += v."""
    old = state["v"]
    new = pieces["velocity"](old, g, its["momentum"], its["lr"])
    state["v"] = pieces["kept"](new, old)
    return pieces["step"](new, old, g, its["momentum"], its["lr"])


def sgd_update(
    pieces: Pieces, w: np.ndarray, g: np.ndarray, state: State, its: Any
) -> np.ndarray:
    """minicnn's form: v = momentum · v + g; w -= lr · v, or Nesterov's lr · (g + momentum · v)."""
    g = pieces["gradient"](w, g, its["scale"], its["decay"])
    old = state["v"]
    new = pieces["velocity"](old, g, its["momentum"], its["lr"])
    state["v"] = pieces["kept"](new, old)
    name = "nesterov" if its["nesterov"] else "step"
    return pieces[name](new, old, g, its["momentum"], its["lr"])


def rmsprop(pieces: Pieces, w: np.ndarray, g: np.ndarray, state: State, its: Any) -> np.ndarray:
    """s = decay · s + (1 - decay) · g²; w -= lr · g / (sqrt(s) + eps)."""
    g = pieces["gradient"](w, g, its["scale"], its["decay"])
    old = state["s"]
    new = pieces["average"](old, pieces["square"](g), its["smoothing"])
    state["s"] = pieces["kept"](new, old)
    ratio = pieces["ratio"](g, pieces["used"](new, old), its["eps"])
    return pieces["step"](ratio, its["lr"], its["eps"])


def adam(pieces: Pieces, w: np.ndarray, g: np.ndarray, state: State, its: Any) -> np.ndarray:
    """m and s follow g and g²; m̂ = m / (1 - beta1ᵗ), ŝ = s / (1 - beta2ᵗ);
    w -= lr · m̂ / (sqrt(ŝ) + eps)."""
    shrunk = pieces["shrink"](w, its["shrink"])
    g = pieces["gradient"](w + shrunk, g, its["scale"], its["decay"])
    # NumPy's numbers, which give inf where Python's raise
    beta1, beta2 = np.float64(its["beta1"]), np.float64(its["beta2"])
    old_m, old_s = state["m"], state["s"]
    used, state["t"] = pieces["count"](state["t"])
    m = pieces["mean"](old_m, g, beta1, beta2)
    s = pieces["squares"](old_s, pieces["square"](g), beta1, beta2)
    first = pieces["first"](beta1, beta2, used)
    second = pieces["second"](beta1, beta2, used)
    corrected = pieces["used m"](m, old_m) / first, pieces["used s"](s, old_s) / second
    state["m"], state["s"] = pieces["kept"]((m, s), (old_m, old_s), corrected)
    ratio = pieces["ratio"](*corrected, its["eps"], second)
    return shrunk + pieces["step"](ratio, its["lr"], its["eps"])


_START: dict[str, Piece] = {"start": lambda w: 0.0}
"""What is added to w beside the step, in every rule."""

_NEW: dict[str, Piece] = {
    "kept": lambda new, old: new,
    "gradient": lambda w, g, scale, decay: scale * g + decay * w,
}
"""Pieces of several rules: what is kept is the new; g is clipped, and the weights' decay added."""

_EXTRA: dict[str, Any] = {"scale": 1.0, "decay": 0.0}

SGD_PIECES: dict[str, Piece] = {"step": lambda g, lr: -lr * g}

MOMENTUM_PIECES: dict[str, Piece] = {
    **_NEW,
    "velocity": lambda v, g, momentum, lr: momentum * v - lr * g,
    "step": lambda v, old, g, momentum, lr: v,
}

SGD_UPDATE_PIECES: dict[str, Piece] = {
    **_NEW,
    "velocity": lambda v, g, momentum, lr: momentum * v + g,
    "step": lambda v, old, g, momentum, lr: -lr * v,
    "nesterov": lambda v, old, g, momentum, lr: -lr * (g + momentum * v),
}

RMSPROP_PIECES: dict[str, Piece] = {
    **_NEW,
    "square": np.square,
    "average": lambda s, square, decay: decay * s + (1 - decay) * square,
    "used": lambda new, old: new,
    "ratio": lambda g, s, eps: g / (np.sqrt(s) + eps),
    "step": lambda ratio, lr, eps: -lr * ratio,
}

ADAM_PIECES: dict[str, Piece] = {
    "gradient": _NEW["gradient"],
    "shrink": lambda w, shrink: -shrink * w,
    "count": lambda t: (t + 1, t + 1),
    "mean": lambda m, g, beta1, beta2: beta1 * m + (1 - beta1) * g,
    "square": np.square,
    "squares": lambda s, square, beta1, beta2: beta2 * s + (1 - beta2) * square,
    "first": lambda beta1, beta2, t: 1 - beta1**t,
    "second": lambda beta1, beta2, t: 1 - beta2**t,
    "used m": lambda new, old: new,
    "used s": lambda new, old: new,
    "kept": lambda new, old, corrected: new,
    "ratio": lambda m, s, eps, second: m / (np.sqrt(s) + eps),
    "step": lambda ratio, lr, eps: -lr * ratio,
}

COMPACT: dict[str, Piece] = {
    "ratio": lambda m, s, eps, second: m / (np.sqrt(s) + eps / np.sqrt(second)),
}
"""Adam's compact form: lr · sqrt(1 - beta2ᵗ) / (1 - beta1ᵗ) · m / (sqrt(s) + eps)."""
