"""The slope of a function along a line, by central differences that know their own error."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

STEP_FACTORS = (1.0, 2.0**-5, 2.0**-10, 2.0**-15, 2.0**5, 2.0**10)
"""Steps that are tried in turn, as multiples of the first, until one is good enough."""

SMALL_STEPS = 4
"""How many of them are near enough for a kink inside to count as one here."""

DOUBTFUL = 100
"""A slope that is this many times less certain than wanted decides nothing."""


@dataclass(frozen=True)
class Slope:
    """A derivative that was measured.

    Attributes
    ----------
    value : float
        The derivative.
    uncertainty : float
        How far it may be off: what extrapolation still changed, and the rounding of the function.
    kink : bool
        Whether the function has no derivative here, as far as any step could tell.
    """

    value: float
    uncertainty: float
    kink: bool


def first_step(precision: float, size: float) -> float:
    """The step at which rounding and truncation of a twice extrapolated difference balance.

    Rounding contributes ``precision / h`` and truncation ``h⁴`` to the extrapolated difference, so
    that h is about ``precision^(1/5)``, times the `size` of what is moved; a power of two, so that
    moving by it rounds nothing away.
    """
    return 2.0 ** round(math.log2(precision**0.2 * size))


def slope(
    rise: Callable[[float], float], step: float, rounding: float, wanted: float
) -> Slope:
    """The derivative at 0 of a function that is given by its rise, ``f(t) - f(0)``.

    Central differences ``D(h) = (f(h) - f(-h)) / 2h`` at h, h/2 and h/4 are extrapolated twice
    (Richardson 1911): ``R(h) = (4·D(h/2) - D(h)) / 3`` removes the error of order h², and
    ``(16·R(h/2) - R(h)) / 15`` that of order h⁴. h/5 serves to see that it was of that order.

    A kink shows in the one-sided slopes. Their difference ``S(h) = (f(h) + f(-h)) / h`` halves with
    h where f is smooth, up to a rest of order h³; at a kink it stays. A kink beside 0 leaves
    the step as the step shrinks, and only one that no step avoids is reported.

    Parameters
    ----------
    rise : callable
        ``f(t) - f(0)`` for a float t.
    step : float > 0
        The first h; see `first_step`.
    rounding : float >= 0
        How far the values of `rise` may be off.
    wanted : float >= 0
        Uncertainty that is good enough. No further step is tried once it is reached.

    Returns
    -------
    Slope
        The first measurement that is good enough; else the first that is not too uncertain to
        tell; else one with a kink; else the least uncertain.
    """
    found = []
    for factor in STEP_FACTORS:
        with np.errstate(all="ignore"):
            found.append(_one_step(rise, step * factor, rounding, wanted))
        if not found[-1].kink and found[-1].uncertainty <= wanted:
            return found[-1]
    for each in found:
        if not each.kink and each.uncertainty <= DOUBTFUL * wanted:
            return each
    kinks = [each for each in found[:SMALL_STEPS] if each.kink]
    return min(kinks or found, key=lambda each: each.uncertainty)


def _one_step(
    rise: Callable[[float], float], step: float, rounding: float, wanted: float
) -> Slope:
    steps = step / np.array([1, 2, 4, 5])
    above = np.array([rise(h) for h in steps])
    below = np.array([rise(-h) for h in steps])

    central = (above - below) / (2 * steps)  # D(h), D(h/2), D(h/4), D(h/5)
    once = (4 * central[1:3] - central[:2]) / 3  # R(h), R(h/2)
    twice = (16 * once[1] - once[0]) / 15
    noise = 4 * rounding / steps[2]
    if not math.isfinite(twice):
        return Slope(math.nan, math.inf, kink=False)

    sides = (above + below) / steps  # S(h), S(h/2), S(h/4), S(h/5)
    kinks = np.abs(2 * sides[1:3] - sides[:2])
    if kinks.max() > max(wanted, 4 * noise) and kinks[1] > kinks[0] / 4:
        return Slope(float(twice), float(kinks.max()), kink=True)

    # where h² rules the error, D changes by a quarter from h/2 to h/4 of what it did from h to h/2,
    # and to h/5 by (1/16 - 1/25) / (1/4 - 1/16) = 0.12 of that; S's rest shrinks by eight.
    # Otherwise f does other things inside the step, and agreement is chance
    changes = np.diff(central)
    ruled = (
        abs(changes[0] - 4 * changes[1]) <= abs(changes[0]) / 8 + 4 * noise
        and abs(0.12 * changes[1] - changes[2]) <= abs(changes[1]) / 64 + 2 * noise
        and abs(kinks[0] - 8 * kinks[1]) <= kinks[0] / 4 + 8 * noise
    )
    return Slope(float(twice), float(abs(twice - once[1]) + noise) if ruled else math.inf, False)


def noise_level(rise: Callable[[float], float], step: float) -> float:
    """How far the values of a function are off because it is computed with rounding.

    The third differences of seven values along a tiny step hold next to nothing of a smooth
    function; what is there is noise, √20 times as large as that of one value (Moré and Wild 2011,
    "Estimating computational noise", SIAM J. Sci. Comput. 33, section 3).
    """
    values = np.array([rise(number * step) for number in range(8, 15)])  # beside a kink at 0
    thirds = np.diff(values, n=3)  # (4,)
    return float(np.sqrt(np.square(thirds).mean() / 20)) if np.isfinite(thirds).all() else 0.0
