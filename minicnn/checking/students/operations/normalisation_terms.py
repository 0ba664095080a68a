"""A normalisation's dx taken apart into its three terms: the factors tell which fault it is."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.operations.normalisation import Normalisation, inverse_std
from minicnn.checking.students.operations.observation import Observation
from minicnn.checking.students.operations.operation import Explanation

Factors = tuple[Any, Any, Any]

FIT_TOLERANCE = 1e-3
"""Of the fitted factors of the three terms: fitting magnifies rounding."""

OF_ONE = ({"bn-sum-for-mean", "bn-wrong-count"}, {"bn-gamma-missing", "bn-gamma-squared"})
"""Faults that are no two, since they are about one factor."""

RIGHT = np.array([1, -1, -1])
"""The factors of the right dx."""


def terms(
    normalisation: Normalisation, case: Case, dy: np.ndarray, with_gamma: bool = True
) -> np.ndarray:
    """T1, T2 and T3 of dx as columns, (m, K, 3)."""
    g = normalisation.split(case, case["gamma"] * dy if with_gamma else dy)
    normalized = normalisation.split(case, normalisation.normalized(case))
    inverse = inverse_std(normalisation.statistics(case)[1], case["eps"])
    parts = [g, np.broadcast_to(g.mean(0), g.shape), normalized * (g * normalized).mean(0)]
    return np.stack([inverse * part for part in parts], 2)


def fit(
    normalisation: Normalisation, seen: Observation, with_gamma: bool = True
) -> np.ndarray | None:
    """The factors (K, 3) of T1, T2, T3 that make up a dx, column by column; None if none do."""
    assert seen.dy is not None
    if not np.isfinite(seen.received).all():
        return None
    parts = terms(normalisation, seen.case, seen.dy, with_gamma)
    received = normalisation.split(seen.case, seen.received)  # (m, K)
    factors = np.empty(parts.shape[1:])
    for at in range(len(factors)):
        basis, came = parts[:, at], received[:, at]  # (m, 3), (m,)
        factors[at] = np.linalg.lstsq(basis, came, rcond=None)[0]
        if np.linalg.norm(came - basis @ factors[at]) > FIT_TOLERANCE * np.linalg.norm(came):
            return None
    return factors


def _powers(normalisation: Normalisation, case: Case) -> Iterator[tuple[str, Factors]]:
    """Factors that a wrong power of σ, or a lacking eps, puts on the terms."""
    _, var = normalisation.statistics(case)
    sigma = np.sqrt(var + case["eps"])
    for power in (1, -1, 2, -2, 3, -3, 0.5, -0.5, 1.5, -1.5, 2.5, 4, -4, 5, 6, -6):
        for factors in _subsets(sigma**power):
            yield "bn-std-power", factors
    m = normalisation.count(case)
    others = [
        ("bn-eps-missing", 1 / np.sqrt(var)),
        ("bn-eps-missing", 1 / (np.sqrt(var) + case["eps"])),
        ("bn-unbiased-variance", 1 / np.sqrt(var * m / (m - 1) + case["eps"])),
    ]
    for fault, inverse in others:
        ratio = inverse * sigma
        for first, second, third in itertools.product((0, 1), (0, 1), (0, 1, 2, 3)):
            yield fault, (ratio**first, ratio**second, ratio**third)


def _subsets(factor: Any) -> Iterator[Factors]:
    """A factor on all terms, on one, or on two of them."""
    for places in [(0, 1, 2), (2,), (1, 2), (0,), (1,), (0, 1), (0, 2)]:
        yield tuple(factor if at in places else 1.0 for at in range(3))  # type: ignore[misc]


def _sums(factor: Any) -> Iterator[Factors]:
    """A factor on one or both of the means."""
    yield (1.0, factor, factor)
    yield (1.0, factor, 1.0)
    yield (1.0, 1.0, factor)


def _term_suspects(
    normalisation: Normalisation, case: Case
) -> Iterator[tuple[str, str, Factors]]:
    """Faults, likeliest first, a detail, and the factors of T1, -T2 and -T3.

    For every case there are as many, in the same order.
    """
    m = normalisation.count(case)
    yield "bn-missing-mean-term", "", (1.0, 0.0, 1.0)
    yield "bn-missing-variance-term", "", (1.0, 1.0, 0.0)
    yield "bn-statistics-constant", "", (1.0, 0.0, 0.0)
    yield "bn-variance-term-sign", "", (1.0, 1.0, -1.0)
    if normalisation.one_gamma:
        for factors in _subsets(1 / case["gamma"]):
            yield "bn-gamma-missing", "", factors
        for factors in _subsets(case["gamma"]):
            yield "bn-gamma-squared", "", factors
    yield "bn-terms-not-summed", "", (1 - 1 / m, 0.0, 1.0)  # dy stands for its own mean
    for factors in _sums(m):
        yield "bn-sum-for-mean", "", factors
    yield "bn-wrong-count", "The factor 1/m is missing.", (m, m, m)
    yield "bn-wrong-count", "dy lacks the factor m that belongs before it in this form.", (
        1 / m, 1.0, 1.0)
    for fault, factors in _powers(normalisation, case):
        yield fault, "", factors
    for name, count in normalisation.other_counts.items():
        called = normalisation.count_name(name, case)
        for factors in [*_sums(m / count(case)), (m / count(case),) * 3]:
            yield "bn-wrong-count", f"Divided by {called}.", factors
    for name, count in normalisation.products.items():
        called = normalisation.count_name(name, case)
        yield "bn-wrong-count", f"dy has the factor {called}.", (count(case) / m, 1.0, 1.0)


def explain_dx(
    normalisation: Normalisation
) -> Callable[[Sequence[Observation]], Explanation | None]:
    """A function that names a fault by the factors of the three terms."""

    def explain(observations: Sequence[Observation]) -> Explanation | None:
        found = _explained(normalisation, observations, with_gamma=True)
        if found is not None or normalisation.one_gamma:
            return found
        found = _explained(normalisation, observations, with_gamma=False)
        if found is None or not found.faults or found.also[0]:
            return None  # without gamma only one fault is looked for
        return found._replace(also=(normalisation.fault("bn-gamma-missing"), ""))

    return explain


def _explained(
    normalisation: Normalisation, observations: Sequence[Observation], *, with_gamma: bool
) -> Explanation | None:
    """The faults that the factors of the three terms tell, where there are such factors."""
    fitted = []
    for seen in observations:
        factors = fit(normalisation, seen, with_gamma)
        if factors is None:
            return None
        fitted.append((seen, factors))
    furthest, factors = max(fitted, key=lambda each: float(np.abs(each[1] - RIGHT).max()))
    if np.abs(factors - RIGHT).max() <= FIT_TOLERANCE:
        return None  # all three are right
    said = _in_words(factors, normalisation.unit, normalisation.count(furthest.case))
    candidates = list(zip(
        *(list(_term_suspects(normalisation, seen.case)) for seen in observations), strict=True
    ))
    explained = [
        same[0] for same in candidates
        if all(
            _matches(factors, expected)
            for (_, factors), (_, _, expected) in zip(fitted, same, strict=True)
        )
    ]
    if not explained:
        first, second = _two(candidates, [factors for _, factors in fitted])
        faults = [normalisation.fault(first)] if first else []
        return Explanation(faults, said, (second and normalisation.fault(second), ""))
    faults = [normalisation.fault(fault) for fault, _, _ in explained]
    return Explanation(faults, f"{explained[0][1]} {said}".strip())


def _two(
    candidates: Sequence[tuple[tuple[str, str, Factors], ...]], fitted: Sequence[np.ndarray]
) -> tuple[str, str]:
    """The first two faults whose factors, multiplied, are those of every fit; empty if none are."""
    match = np.ones((len(candidates), len(candidates)), bool)
    for at, factors in enumerate(fitted):
        every = np.stack([
            np.stack([np.broadcast_to(each, len(factors)) for each in same[at][2]], 1)
            for same in candidates
        ])  # (candidates, C, 3)
        products = every[:, None] * every * RIGHT
        off = np.abs(products - factors).max((2, 3))
        largest = np.abs(products).max((2, 3))
        match &= np.isfinite(off) & (off <= 3 * FIT_TOLERANCE * np.maximum(largest, 1))
    for pair in np.argwhere(match):
        first, second = (candidates[at][0][0] for at in pair)
        if first != second and {first, second} not in OF_ONE:
            return first, second
    return "", ""


def _matches(factors: np.ndarray, expected: Factors) -> bool:
    signed = np.stack([np.broadcast_to(each, len(factors)) for each in expected], 1) * RIGHT
    if not np.isfinite(signed).all():
        return False
    return bool(np.abs(factors - signed).max() <= 3 * FIT_TOLERANCE * max(np.abs(signed).max(), 1))


def _in_words(factors: np.ndarray, unit: str, count: int) -> str:
    """A fit as the student reads it: ``your dx is T1 - T2, the right one is T1 - T2 - T3``."""
    where = f" (where a {unit} has {count} values)"
    if np.abs(factors - np.round(factors)).max() < 5e-3 and np.abs(factors).max() < 1.5:
        where = ""  # the same for any number
    if np.ptp(factors, axis=0).max() <= 5e-3 * np.abs(factors).max():
        return f"Your dx is {_sum(factors.mean(0))}{where}, the right one is T1 - T2 - T3."
    first = ", ".join(f"{_sum(row)} in {unit} {at}" for at, row in enumerate(factors[:2]))
    return f"Your dx is {first}{where}; the right one is T1 - T2 - T3 in all."


def _sum(factors: np.ndarray) -> str:
    text = ""
    for name, factor in zip(("T1", "T2", "T3"), factors, strict=True):
        size = abs(factor)
        if size < 5e-3:
            continue
        sign = "-" if factor < 0 else "+"
        number = "" if abs(size - 1) < 5e-3 else f"{size:.4g}·"
        text += f" {sign} {number}{name}" if text else f"{'-' * (sign == '-')}{number}{name}"
    return text or "0"
