"""In what a wrong answer is like the right one, where no fault explains it: a factor, a part."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from minicnn.checking.students.operations.observation import TOLERANCE, Observation, agree

FACTORS = {-1: "-1", 2: "2", 0.5: "1/2", -2: "-2", -0.5: "-1/2", 3: "3", 4: "4", 0.25: "1/4"}
"""Factors that are the same whatever the case, as they are told."""

AXES = {4: ("N", "H", "W", "C"), 2: ("N", "D")}
"""What the axes of x are called, by their number."""


def likeness(key: str, what: str, seen: Sequence[Observation]) -> str:
    """A sentence on what the wrong answers have in common with the right ones; or nothing.

    Parameters
    ----------
    key, what : str
        Our name of the answer, and the student's.
    seen : sequence of Observation
    """
    wrong = [each for each in seen if not each.right]
    if not all(each.shape_is_right and np.isfinite(each.received).all() for each in wrong):
        return ""
    factor = _factor_in_words(wrong)
    if factor:
        return f"It is the right {what} times {factor}."
    term = _term(wrong)
    if term:
        sign = "plus" if term > 0 else "minus"
        return f"It is the right {what} {sign} {abs(term):.4g} everywhere."
    if all(np.abs(each.received).max(initial=0) <= 1e-9 * _scale(each) for each in wrong):
        return "It is 0 everywhere, up to rounding."
    first, *others = [list(_right_parts(key, each)) for each in wrong]
    return next((text for text in first if all(text in each for each in others)), "")


def _factor_in_words(wrong: Sequence[Observation]) -> str:
    """The one factor that makes every right answer the wrong one, as the student would name it."""
    factors = []
    for each in wrong:
        square = np.square(each.expected).sum()
        factor = float((each.received * each.expected).sum() / square) if square else np.nan
        if each.expected.size < 2 or not agree(each.received, factor * each.expected):
            return ""
        factors.append(factor)
    for known, text in FACTORS.items():
        if np.allclose(factors, known, rtol=TOLERANCE):
            return text
    for name in _numbers(wrong[0]):
        numbers = np.array([_numbers(each).get(name, np.nan) for each in wrong])
        if np.ptp(numbers) == 0:
            continue  # it cannot be told from any other constant
        for sign, prefix in ((1, ""), (-1, "-")):
            if np.allclose(factors, sign * numbers, rtol=TOLERANCE):
                return prefix + name
            if np.allclose(factors * numbers, sign, rtol=TOLERANCE):
                return f"{prefix}1/({name})" if "·" in name else f"{prefix}1/{name}"
    return ""


def _term(wrong: Sequence[Observation]) -> float:
    """The one number that is added to every right answer; 0 where there is none."""
    if all(each.expected.size < 2 for each in wrong):
        return 0.0
    terms = np.concatenate([(each.received - each.expected).ravel() for each in wrong])
    near = TOLERANCE * min(max(abs(terms[0]), 1e-12), *map(_scale, wrong))
    return float(terms[0]) if np.abs(terms - terms[0]).max() <= near else 0.0


def _scale(seen: Observation) -> float:
    return max(float(np.abs(seen.expected).max(initial=0)), 1e-12)


def _numbers(seen: Observation) -> Mapping[str, float]:
    """Numbers of a case by which a sum may be divided or multiplied: sizes and settings."""
    case = seen.case
    first = next(iter(case.arrays.values()), np.empty(0))
    sizes = dict(zip(AXES.get(first.ndim, ()), first.shape, strict=False))
    if seen.dy is not None and seen.dy.ndim == 4 and first.ndim == 4:
        sizes |= {"H′": seen.dy.shape[1], "W′": seen.dy.shape[2]}
    if "w" in case.arrays and case["w"].ndim == 4:
        sizes |= {"HH": case["w"].shape[0], "WW": case["w"].shape[1], "F": case["w"].shape[3]}
    elif "w" in case.arrays and case["w"].ndim == 2:
        sizes["M"] = case["w"].shape[1]
    settings = {
        key: float(value) for key, value in case.settings.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    products: dict[str, float] = {f"{a}·{b}": x * y for a, x, b, y in _pairs(sizes)}
    if {"N", "H", "W"} <= sizes.keys():
        products["N·H·W"] = sizes["N"] * sizes["H"] * sizes["W"]
    if {"N", "H′", "W′"} <= sizes.keys():
        products["N·H′·W′"] = sizes["N"] * sizes["H′"] * sizes["W′"]
    squares = {f"{name}²": size**2 for name, size in sizes.items()}
    return {**sizes, **settings, **products, **squares}


def _pairs(sizes: Mapping[str, int]) -> Iterator[tuple[str, int, str, int]]:
    names = list(sizes)
    for at, one in enumerate(names):
        for other in names[at + 1:]:
            yield one, sizes[one], other, sizes[other]


PARTS: dict[str, slice] = {
    "Only the first {} is right.": slice(0, 1),
    "Only the last {} is right.": slice(-1, None),
    "Every {} but the first is right.": slice(1, None),
    "Every {} but the last is right.": slice(0, -1),
    "Every {} but the first and the last is right.": slice(1, -1),
}
"""What is right along an axis."""

NAMES: dict[tuple[str, int], tuple[str, ...]] = {
    ("", 4): ("sample", "row", "column", "channel"),
    ("dw", 4): ("row of the window", "column of the window", "channel", "filter"),
    ("", 2): ("row", "column"),
    ("", 1): ("number",),
}
"""What an index along an axis is called: of an answer by its name, or of any, and its axes."""


def _right_parts(key: str, seen: Observation) -> Iterator[str]:
    """The parts of an answer that are right, where every other index along that axis has something
    wrong."""
    right = np.abs(seen.received - seen.expected) <= TOLERANCE * _scale(seen)
    names = NAMES.get((key, right.ndim)) or NAMES.get(("", right.ndim), ())
    for axis, name in enumerate(names):
        along = right.all(tuple(each for each in range(right.ndim) if each != axis))
        for text, inside in PARTS.items():
            outside = np.ones(len(along), bool)
            outside[inside] = False
            if len(along) > 1 and along[inside].all() and not along[outside].any():
                yield text.format(name)
