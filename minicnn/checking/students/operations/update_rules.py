"""The update rules that are judged, and the walks on which they are.

Gradients differ in size, so that eps matters for some elements and not for others, and one element
has no gradient. The rates and decays are far from 0, 1 and each other.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn.checking.students.operations import update_variations as wrong, updates as rules
from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.operations.updates import UpdateRule


def _walk(
    seed: int, shape: tuple[int, ...], steps: int, state: Sequence[str] = (), **settings: Any
) -> Case:
    """A walk from anywhere: moments of squares are positive."""
    rng = np.random.default_rng([424, seed])
    g = rng.standard_normal((steps, *shape)) * np.exp(rng.uniform(-2, 1, shape))
    g[:, *np.unravel_index(g[0].size // 2, shape)] = 0
    arrays = {"w": rng.standard_normal(shape), "g": g}
    for name in state:
        kept = 0.5 * rng.standard_normal(shape)
        arrays[name] = np.abs(kept) + 0.1 if name == "s" else kept
    return Case(arrays, settings)


def _small(steps: int, state: Sequence[str] = (), **settings: Any) -> Case:
    """A walk that is easily followed with a pencil."""
    arrays = {"w": np.array([1.0, -2.0]), "g": np.array([[2.0, -1.0], [1.0, 3.0]])[:steps]}
    arrays.update({name: np.array([1.0, 4.0]) for name in state})
    return Case(arrays, settings)


_SGD = {"lr": 0.3}
_MOMENTUM = {"lr": 0.2, "momentum": 0.7}
_RMSPROP = {"lr": 0.2, "smoothing": 0.8, "eps": 0.3}
_ADAM = {"lr": 0.2, "beta1": 0.7, "beta2": 0.85, "eps": 0.3}
_CLIPPED = {"scale": 0.6}
_DECAYED = {"scale": 0.6, "decay": 0.4}


def _of_the_course(
    state: tuple[str, ...], settings: dict[str, Any], **given: Any
) -> tuple[list[Case], list[Case]]:
    """Cases and small cases: all given, nothing of earlier steps, and no config at all."""
    other = {key: value / 2 for key, value in settings.items()}
    cases = [
        _walk(1, (3, 4), 3, state, **settings, **given),
        _walk(2, (5,), 3, (), **other),
        _walk(3, (2, 3, 2), 3),
        _walk(4, (2, 1), 2, (), lr=0.4),
    ]
    small = [_small(1, (), **settings), _small(1, state, **settings, **given),
             _small(2, (), **settings), _small(2, state, **settings, **given),
             _small(2), cases[0]]
    return cases, small


def _of_minicnn(
    state: tuple[str, ...], settings: dict[str, Any], *variants: dict[str, Any], **given: Any
) -> tuple[list[Case], list[Case]]:
    """Cases and small cases: the arrays are always given, and the extra settings now and then."""
    other = {key: value / 2 for key, value in settings.items()}
    every = [{}, *variants]
    cases = [
        _walk(1, (3, 4), 3, state, **settings, **given),
        _walk(2, (5,), 3, state, **other, **given),
        *(_walk(3 + at, (2, 3, 2), 2, state, **{**settings, **extra, **given})
          for at, extra in enumerate(variants)),
    ]
    small = [_small(steps, state, **{**settings, **extra, **given})
             for extra in every for steps in (1, 2)]
    return cases, small


def _rules() -> list[UpdateRule]:
    course = {"t": 2}
    extra = {"scale": 1.0, "decay": 0.0}
    rmsprop: dict[str, Any] = {
        "step": rules.rmsprop, "pieces": rules.RMSPROP_PIECES, "state": ("s",), "topic": "RMSProp",
        "variations": wrong.RMSPROP,
        "defaults": {"lr": 1e-2, "smoothing": 0.99, "eps": 1e-8, **extra},
    }
    adam: dict[str, Any] = {
        "step": rules.adam, "pieces": rules.ADAM_PIECES, "state": ("m", "s"), "topic": "Adam",
        "variations": wrong.ADAM, "also_right_pieces": [rules.COMPACT],
        "defaults": {"lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "shrink": 0.0, **extra},
    }
    return [
        UpdateRule(
            "sgd", *_of_the_course((), _SGD), step=rules.sgd, pieces=rules.SGD_PIECES,
            topic="momentum", variations=wrong.SGD, defaults={"lr": 1e-2},
        ),
        UpdateRule(
            "sgd_momentum", *_of_the_course(("v",), _MOMENTUM), step=rules.momentum,
            pieces=rules.MOMENTUM_PIECES, state=("v",), topic="momentum",
            variations=wrong.MOMENTUM, defaults={"lr": 1e-2, "momentum": 0.9},
        ),
        UpdateRule("rmsprop", *_of_the_course(("s",), _RMSPROP), **rmsprop),
        UpdateRule("adam", *_of_the_course(("m", "s"), _ADAM, **course), **adam),
        UpdateRule(
            "sgd_update",
            *_of_minicnn(("v",), _MOMENTUM, {"nesterov": True}, _CLIPPED, _DECAYED),
            step=rules.sgd_update, pieces=rules.SGD_UPDATE_PIECES, state=("v",),
            topic="momentum", variations=wrong.SGD_UPDATE,
            defaults={"momentum": 0.0, "nesterov": False, **extra},
        ),
        UpdateRule(
            "rmsprop_update", *_of_minicnn(("s",), _RMSPROP, _CLIPPED, _DECAYED), **rmsprop,
        ),
        UpdateRule(
            "adam_update",
            *_of_minicnn(("m", "s"), _ADAM, _CLIPPED, _DECAYED, {"shrink": 0.1}, **course),
            **adam,
        ),
    ]


UPDATE_RULES = _rules()
"""Those of the course, whose config keeps what later steps need, and those of minicnn, which change
arrays in place."""
