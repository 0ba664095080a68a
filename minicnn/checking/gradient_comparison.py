"""A gradient beside measured slopes: element by element, or along random directions."""

from collections.abc import Callable

import numpy as np

from minicnn.checking.differences import DOUBTFUL, Slope, slope
from minicnn.checking.gradient_report import Index, InputGradient
from minicnn.checking.gradient_subject import Stop, Subject

KINKS = 10
"""By how much the sum of many kinks along a random direction may exceed what is seen of it."""

WANTED = 0.1
"""Uncertainty of a slope that is asked for, as a part of the tolerance."""


def by_element(
    result: InputGradient, subject: Subject, at: int, gradient: np.ndarray, dy: np.ndarray
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


def by_projection(
    result: InputGradient, subject: Subject, at: int, gradient: np.ndarray, dy: np.ndarray,
    *, own_dy: bool, projections: int,
) -> None:
    """Move all elements along random directions; with `own_dy`, each with a dy of its own."""
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
        raise Stop("wrong shape", "backward returned a gradient first and then None")
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
