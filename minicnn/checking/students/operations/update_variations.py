"""What goes wrong in update rules: pieces in the place of the right ones."""

from collections.abc import Callable

import numpy as np

from minicnn.checking.students.operations.updates import Piece, Variation

FIXED = {1e-8: "tiny", 1e-2: "0.01", 1e-3: "0.001", 1e-4: "0.0001"}
"""Numbers that stand where eps belongs, as they are told."""

SIGN = "momentum-sign"
RATE = "momentum-rate-missing"
SWAPPED = "decay-swapped"
ROOT = "rmsprop-root-missing"
EPS = "eps-misplaced"
MISSING = "adam-bias-correction-missing"
COUNT = "adam-step-not-counted"
POWER = "adam-bias-power"


def _minus(piece: Piece) -> Piece:
    return lambda *given: -piece(*given)


NO_START = Variation(None, {"start": lambda w: -w}, "The step is returned, not w with the step.")
_ASCENDS = "The step goes uphill: lr · gradient is added where it is subtracted."
_NOT_KEPT = "What comes of earlier steps is not kept for the next."

SGD = [
    Variation(None, {"step": lambda g, lr: lr * g}, _ASCENDS),
    Variation(None, {"step": lambda g, lr: -g}, "The learning rate has no part."),
    Variation(None, {"step": lambda g, lr: -lr * lr * g}, "The learning rate is there twice."),
    NO_START,
]
"""Of plain gradient descent, which the catalogue has no fault of."""

_UP: Piece = lambda v, old, g, momentum, lr: v  # noqa: E731
_DOWN: Piece = lambda v, old, g, momentum, lr: -v  # noqa: E731
_LR_DOWN: Piece = lambda v, old, g, momentum, lr: -lr * v  # noqa: E731
_LR_UP: Piece = lambda v, old, g, momentum, lr: lr * v  # noqa: E731
_KEEP_OLD: dict[str, Piece] = {"kept": lambda new, old: old}

_FROM_ZERO = "From a velocity of 0 it goes the same way, from a given one it does not."
_NO_RATE = f"It is v = momentum · v + dw, w -= lr · v, where v lacks lr. {_FROM_ZERO}"

MOMENTUM = [
    Variation(RATE, {"velocity": lambda v, g, momentum, lr: momentum * v - g},
              "The gradient enters the velocity without lr."),
    Variation(RATE, {"velocity": lambda v, g, momentum, lr: momentum * v + g, "step": _LR_DOWN},
              _NO_RATE),
    Variation(RATE, {"velocity": lambda v, g, momentum, lr: momentum * v - g, "step": _LR_UP},
              f"It is v = momentum · v - dw, w += lr · v, where v lacks lr. {_FROM_ZERO}"),
    Variation(RATE, {"velocity": lambda v, g, momentum, lr: momentum * v + g, "step": _DOWN},
              "It is v = momentum · v + dw, w -= v."),
    Variation(SIGN, {"velocity": lambda v, g, momentum, lr: momentum * v + lr * g},
              "lr · dw is added to the velocity."),
    Variation(SIGN, {"step": _DOWN}, "The velocity is subtracted from w."),
    Variation(SIGN, {"velocity": lambda v, g, momentum, lr: -momentum * v - lr * g},
              "The old velocity is subtracted."),
    Variation(SIGN, {
        "velocity": lambda v, g, momentum, lr: momentum * v + lr * g, "step": _DOWN,
    }, f"It is v = momentum · v + lr · dw, w -= v: the velocity has the other sign. {_FROM_ZERO}"),
    Variation(SIGN, {"step": lambda v, old, g, momentum, lr: -lr * g - momentum * v},
              "It is Nesterov's correction with the wrong sign."),
    Variation(SIGN, {
        "step": lambda v, old, g, momentum, lr: momentum * old + (1 + momentum) * v,
    }, "It is Nesterov's correction with the wrong sign."),
    Variation(SWAPPED, {
        "velocity": lambda v, g, momentum, lr: (1 - momentum) * v - momentum * lr * g,
    }),
    Variation(None, {"step": lambda v, old, g, momentum, lr: momentum * v - lr * g},
              "This is Nesterov's momentum; plain momentum is asked for."),
    Variation(None, {
        "velocity": lambda v, g, momentum, lr: momentum * v + (1 - momentum) * g, "step": _LR_DOWN,
    }, "The velocity is the mean v = momentum · v + (1 - momentum) · dw, with w -= lr · v."),
    Variation(None, {
        "velocity": lambda v, g, momentum, lr: momentum * v - (1 - momentum) * lr * g,
    }, "The new part of the velocity has a factor 1 - momentum that is not there."),
    Variation(None, {"velocity": lambda v, g, momentum, lr: (1 - momentum) * v - lr * g},
              "The old velocity is multiplied by 1 - momentum."),
    Variation(None, {"velocity": lambda v, g, momentum, lr: lr * (momentum * v - g)},
              "The old velocity is multiplied by lr too."),
    Variation(None, {"velocity": lambda v, g, momentum, lr: v - lr * g},
              "The old velocity is not multiplied by momentum."),
    Variation(None, {"velocity": lambda v, g, momentum, lr: -lr * g},
              "The old velocity has no part."),
    Variation(None, {"velocity": lambda v, g, momentum, lr: v - momentum * lr * g},
              "momentum multiplies the new part, not the old velocity."),
    Variation(None, {"velocity": lambda v, g, momentum, lr: momentum * v},
              "The gradient has no part."),
    Variation(None, {"step": _LR_UP}, "The learning rate is there twice."),
    NO_START,
    Variation(None, {"step": lambda v, old, g, momentum, lr: old},
              "The step takes the velocity from before."),
    Variation(None, {"step": lambda v, old, g, momentum, lr: v - lr * g},
              "lr · dw is subtracted twice."),
    Variation(None, {"step": lambda v, old, g, momentum, lr: -lr * g},
              "The velocity has no part in the step."),
    Variation(None, _KEEP_OLD, _NOT_KEPT),
]
"""Of the course's momentum, v = momentum · v - lr · dw and w += v."""

_NOT_CLIPPED = Variation(
    None, {"gradient": lambda w, g, scale, decay: g + decay * w}, "scale has no part.",
)
_NOT_DECAYED = [
    Variation(None, {"gradient": lambda w, g, scale, decay: scale * g}, "decay has no part."),
    Variation(None, {"gradient": lambda w, g, scale, decay: scale * (g + decay * w)},
              "The weights' decay is scaled too."),
    Variation(None, {"gradient": lambda w, g, scale, decay: scale * g - decay * w},
              "The weights' decay has the wrong sign."),
]

SGD_UPDATE = [
    Variation(RATE, {"step": _DOWN, "nesterov": lambda v, old, g, momentum, lr: -g - momentum * v}),
    Variation(RATE, {"step": _DOWN}),
    Variation(RATE, {
        "velocity": lambda v, g, momentum, lr: momentum * v + lr * g, "step": _DOWN,
        "nesterov": lambda v, old, g, momentum, lr: -lr * g - momentum * v,
    }, f"lr stands in the velocity, where it belongs in the step. {_FROM_ZERO}"),
    Variation(RATE, {
        "velocity": lambda v, g, momentum, lr: momentum * v - lr * g, "step": _UP,
        "nesterov": lambda v, old, g, momentum, lr: momentum * v - lr * g,
    }, f"It is v = momentum · v - lr · g, w += v: lr belongs in the step. {_FROM_ZERO}"),
    Variation(SIGN, {"velocity": lambda v, g, momentum, lr: momentum * v - g},
              "The gradient is subtracted from the velocity."),
    Variation(SIGN, {"velocity": lambda v, g, momentum, lr: g - momentum * v},
              "The old velocity is subtracted."),
    Variation(SIGN, {
        "step": _LR_UP, "nesterov": lambda v, old, g, momentum, lr: lr * (g + momentum * v),
    }, "lr · v is added to w."),
    Variation(SIGN, {"step": _LR_UP}, "lr · v is added to w."),
    Variation(SIGN, {"nesterov": lambda v, old, g, momentum, lr: -lr * (g - momentum * v)},
              "It is Nesterov's correction with the wrong sign."),
    Variation(SWAPPED, {
        "velocity": lambda v, g, momentum, lr: (1 - momentum) * v + momentum * g,
    }),
    Variation(None, {"nesterov": _LR_DOWN}, "nesterov has no part."),
    Variation(None, {"nesterov": lambda v, old, g, momentum, lr: -lr * (g + momentum * old)},
              "Nesterov's correction takes the velocity from before."),
    Variation(None, {"nesterov": lambda v, old, g, momentum, lr: -lr * (v + momentum * v)},
              "Nesterov's step adds momentum · v to v, not to g."),
    Variation(None, {
        "velocity": lambda v, g, momentum, lr: momentum * v + (1 - momentum) * g,
    }, "The new part of the velocity has a factor 1 - momentum that is not there."),
    Variation(None, {"velocity": lambda v, g, momentum, lr: v + g},
              "The old velocity is not multiplied by momentum."),
    Variation(None, {"velocity": lambda v, g, momentum, lr: g}, "The old velocity has no part."),
    Variation(None, {"step": lambda v, old, g, momentum, lr: -lr * old},
              "The step takes the velocity from before."),
    Variation(None, _KEEP_OLD, "v is not changed in place."),
    _NOT_CLIPPED, *_NOT_DECAYED,
]
"""Of minicnn's form, v = momentum · v + g and w -= lr · v."""


def _ratios() -> list[Variation]:
    """What stands for g / (sqrt(s) + eps)."""
    root = np.sqrt

    def eps(ratio: Piece, detail: str, fault: str | None = EPS) -> Variation:
        return Variation(fault, {"ratio": ratio}, detail)

    return [
        eps(lambda g, s, eps, *_: g / root(s + eps), "eps stands inside the root."),
        eps(lambda g, s, eps, *_: g / root(s), "There is no eps."),
        eps(lambda g, s, eps, *_: g / root(s) + eps,
            "eps is added to the quotient: brackets are missing round sqrt(…) + eps."),
        *(Variation(EPS, {
            "ratio": lambda g, s, eps, *_: g / root(s),
            "step": lambda ratio, lr, eps, sign=sign: -lr * ratio + sign * eps,
        }, "eps is added to w: brackets are missing round sqrt(…) + eps.") for sign in (1, -1)),
        eps(lambda g, s, eps, *_: g / (root(s) * eps), "eps multiplies."),
        eps(lambda g, s, eps, *_: g / root(s) * eps, "eps multiplies."),
        eps(lambda g, s, eps, *_: g / (root(s) - eps), "eps is subtracted."),
        eps(lambda g, s, eps, *_: g / root(s + eps * eps), "eps² stands inside the root."),
        eps(lambda g, s, eps, *_: g / (root(s + eps) + eps), "eps is there twice."),
        eps(lambda g, s, eps, *_: g / np.maximum(root(s), eps),
            "eps is a lower limit, not added."),
        eps(lambda g, s, eps, *_: (g + eps) / (root(s) + eps),
            "eps is added above the line too."),
        *(eps(lambda g, s, eps, *_, fixed=fixed: g / (root(s) + fixed),
              f"The eps that is used is {text}, whatever is given.")
          for fixed, text in FIXED.items()),
        *(eps(lambda g, s, eps, *_, fixed=fixed: g / root(s + fixed),
              f"The eps that is used is {text}, whatever is given, inside the root.")
          for fixed, text in FIXED.items()),
        eps(lambda g, s, eps, *_: g / (s + eps), "", ROOT),
        eps(lambda g, s, eps, *_: g / s, "There is no eps either.", ROOT),
        eps(lambda g, s, eps, *_: g / (s * s + eps), "It is divided by the square.", ROOT),
        eps(lambda g, s, eps, *_: g * (root(s) + eps), "The root multiplies.", None),
        eps(lambda g, s, eps, *_: g, "Nothing is divided by the root.", None),
    ]


_STEPS = [
    Variation(None, {"step": lambda ratio, lr, eps: lr * ratio}, _ASCENDS),
    Variation(None, {"step": lambda ratio, lr, eps: -ratio}, "The learning rate has no part."),
]
_SQUARES = [
    Variation(None, {"square": lambda g: g}, "The gradient is not squared."),
    Variation(None, {"square": np.abs}, "The gradient's absolute value stands for its square."),
]

RMSPROP = [
    *_ratios(),
    Variation(SWAPPED, {"average": lambda s, square, decay: (1 - decay) * s + decay * square}),
    Variation(None, {"average": lambda s, square, decay: decay * s + square},
              "The new square lacks its weight 1 - decay."),
    Variation(None, {"average": lambda s, square, decay: s + square},
              "The squares are summed, as in Adagrad."),
    Variation(None, {"average": lambda s, square, decay: s + (1 - decay) * square},
              "The old mean lacks its weight."),
    Variation(None, {"average": lambda s, square, decay: (1 - decay) * square},
              "The old mean has no part."),
    Variation(None, {"average": lambda s, square, decay: decay * s},
              "The new square has no part."),
    Variation(None, {"average": lambda s, square, decay: decay * s - (1 - decay) * square},
              "The new square is subtracted."),
    NO_START,
    Variation(None, {"average": lambda s, square, decay: square}, "The mean has no part."),
    Variation(None, {"used": lambda new, old: old},
              "The step takes the mean of squares from before."),
    Variation(None, _KEEP_OLD, _NOT_KEPT),
    *_SQUARES, *_STEPS, _NOT_CLIPPED, *_NOT_DECAYED,
]
"""Of RMSProp."""


def _mean(of_old: Callable[[float], float], of_new: Callable[[float], float]) -> Piece:
    return lambda m, g, beta1, beta2: of_old(beta1) * m + of_new(beta1) * g


def _squares(of_old: Callable[[float], float], of_new: Callable[[float], float]) -> Piece:
    return lambda s, square, beta1, beta2: of_old(beta2) * s + of_new(beta2) * square


def _moments(
    fault: str | None, of_old: Callable[[float], float], of_new: Callable[[float], float],
    detail: str,
) -> list[Variation]:
    """Other weights of the old and the new: in both moments, in the first, in the second."""
    mean, squares = {"mean": _mean(of_old, of_new)}, {"squares": _squares(of_old, of_new)}
    return [
        Variation(fault, {**mean, **squares}, detail.format("both moments")),
        Variation(fault, mean, detail.format("the first moment")),
        Variation(fault, squares, detail.format("the second moment")),
    ]


def _corrections(
    fault: str | None, factor: Callable[[float, float], float], detail: str
) -> list[Variation]:
    """Another divisor than 1 - betaᵗ: of both moments, of the first, of the second."""
    first: dict[str, Piece] = {"first": lambda beta1, beta2, t: factor(beta1, t)}
    second: dict[str, Piece] = {"second": lambda beta1, beta2, t: factor(beta2, t)}
    return [
        Variation(fault, {**first, **second}, detail.format("both moments")),
        Variation(fault, first, detail.format("the first moment")),
        Variation(fault, second, detail.format("the second moment")),
    ]


COUNTED_LATE = Variation(
    COUNT, {"count": lambda t: (t, t + 1)}, "t is increased after it was used.",
)
"""Right too, where t begins at 1 and nobody asks for more."""

ADAM = [
    *_corrections(MISSING, lambda beta, t: 1.0, "Uncorrected: {}."),
    COUNTED_LATE,
    Variation(COUNT, {"count": lambda t: (t, t)}, "t is not increased."),
    Variation(COUNT, {"count": lambda t: (t + 1, t)}, "The increased t is not kept."),
    *_corrections(POWER, lambda beta, t: 1 - beta, "For {} it is 1 - beta, without a power."),
    *_corrections(POWER, lambda beta, t: 1 - beta ** (t + 1), "For {} it is t + 1."),
    *_corrections(POWER, lambda beta, t: 1 - beta ** (t - 1), "For {} it is t - 1."),
    *_corrections(POWER, lambda beta, t: 1 - beta * t, "For {} beta is multiplied by t."),
    *_corrections(POWER, lambda beta, t: 1 - beta ** (2 * t), "For {} it is 2 · t."),
    *_corrections(POWER, lambda beta, t: (1 - beta) ** t, "For {} it is (1 - beta)ᵗ."),
    *_corrections(None, lambda beta, t: 1 / (1 - beta**t), "The correction of {} multiplies."),
    *_corrections(None, lambda beta, t: 1 + beta**t, "The correction of {} is 1 + betaᵗ."),
    *_corrections(None, lambda beta, t: (1 - beta**t) ** 2, "The correction of {} is squared."),
    *_corrections(None, lambda beta, t: np.sqrt(1 - beta**t), "The correction of {} has a root."),
    Variation(None, {"first": lambda beta1, beta2, t: 1 - beta2**t},
              "The first moment is corrected with beta2."),
    Variation(None, {"second": lambda beta1, beta2, t: 1 - beta1**t},
              "The second moment is corrected with beta1."),
    *_ratios(),
    Variation(EPS, {"ratio": lambda m, s, eps, second: m / np.sqrt(s + eps / second)},
              "eps stands inside the root."),
    *_moments(SWAPPED, lambda beta: 1 - beta, lambda beta: beta, "It is so in {}."),
    *_moments(None, lambda beta: beta, lambda beta: 1.0, "In {} the new part lacks its weight."),
    *_moments(None, lambda beta: 1.0, lambda beta: 1 - beta,
              "In {} the old part lacks its weight."),
    *_moments(None, lambda beta: 0.0, lambda beta: 1 - beta, "In {} the old part is missing."),
    *_moments(None, lambda beta: beta, lambda beta: 0.0, "In {} the new part is missing."),
    *_moments(None, lambda beta: beta, lambda beta: beta - 1,
              "In {} the new part is subtracted."),
    NO_START,
    Variation(None, {
        "mean": lambda m, g, beta1, beta2: beta2 * m + (1 - beta2) * g,
        "squares": lambda s, square, beta1, beta2: beta1 * s + (1 - beta1) * square,
    }, "beta1 and beta2 are exchanged."),
    Variation(None, {"mean": lambda m, g, beta1, beta2: beta2 * m + (1 - beta2) * g},
              "The first moment uses beta2."),
    Variation(None, {"squares": lambda s, square, beta1, beta2: beta1 * s + (1 - beta1) * square},
              "The second moment uses beta1."),
    Variation(None, {"kept": lambda new, old, corrected: corrected},
              "The corrected moments are kept where the uncorrected ones belong."),
    Variation(None, {"kept": lambda new, old, corrected: old}, _NOT_KEPT),
    Variation(None, {"used m": lambda new, old: old}, "The step takes m from before."),
    Variation(None, {"used s": lambda new, old: old},
              "The step takes the mean of squares from before."),
    Variation(None, {"count": lambda t: (t + 1, t + 2)}, "t is increased twice."),
    Variation(None, {"count": lambda t: (t + 2, t + 2)}, "t is increased twice."),
    Variation(None, {"shrink": lambda w, shrink: 0.0}, "shrink has no part."),
    *_SQUARES, *_STEPS, _NOT_CLIPPED, *_NOT_DECAYED,
]
"""Of Adam."""
