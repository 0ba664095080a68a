"""Answers in another shape than the right one: an axis of length 1, or more than that."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from minicnn.checking.students.convention import Convention
from minicnn.checking.students.operations.observation import Observation


def without_lone_axes(
    convention: Convention, key: str, seen: Sequence[Observation]
) -> list[Observation]:
    """The same answers in the right shapes, if axes of length 1 are all that tells them apart;
    else none."""

    def long_axes(array: np.ndarray) -> list[int]:
        return [length for length in convention.theirs(key, array).shape if length != 1]

    differ = [each for each in seen if not each.shape_is_right]
    if not differ or any(long_axes(each.received) != long_axes(each.expected) for each in differ):
        return []
    return [replace(each, received=each.received.reshape(each.expected.shape)) for each in seen]


def kept_axis_in_words(convention: Convention, key: str, seen: Observation) -> str:
    """What came in which shape, and what becomes of that; seen as the student returned it."""
    name = convention.label(key)
    came = convention.theirs(key, seen.received).shape
    wanted = convention.their_shape(key, seen.expected.shape)
    text = f"{name} came in shape {came}, where {wanted} belongs: "
    if len(came) < len(wanted):
        return f"{text}an axis was lost."
    text += "keepdims, or a reshape, kept an axis"
    if key.startswith("d") and len(wanted) == 1:
        parameter = convention.label(key[1:])
        stepped = np.broadcast_shapes(came, wanted)
        what = "a matrix" if len(stepped) == 2 else f"an array of shape {stepped}"
        text += f", and {parameter} - lr * {name} would become {what}"
    return f"{text}."
