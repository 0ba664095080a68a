"""The sliding window: what a user may write, and what comes of it."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from minicnn.ops.window import Window, resolve_window

LENGTH, SIZE = st.integers(1, 12), st.integers(1, 5)
STRIDE, PAD = st.integers(1, 5), st.integers(0, 4)


@pytest.mark.parametrize(("padding", "expected"), [
    (0, ((0, 0), (0, 0))),
    (np.int64(2), ((2, 2), (2, 2))),
    ((1, 2), ((1, 1), (2, 2))),
    ([1, 2], ((1, 1), (2, 2))),
    (((1, 2), (3, 0)), ((1, 2), (3, 0))),
    ([[1, 2], [3, 0]], ((1, 2), (3, 0))),
    ("valid", ((0, 0), (0, 0))),
    ("same", ((1, 1), (1, 2))),
])
def test_how_padding_may_be_written(padding: object, expected: tuple) -> None:
    window = resolve_window("conv2d", (3, 4), np.int32(1), padding, (9, 10))
    assert window == Window((3, 4), (1, 1), expected)


@given(length=LENGTH, size=SIZE, stride=STRIDE, before=PAD, after=PAD)
def test_output_size_is_how_often_the_window_fits(
    length: int, size: int, stride: int, before: int, after: int
) -> None:
    window = Window((size, size), (stride, 1), ((before, after), (0, 0)))
    places = len(range(0, length + before + after - size + 1, stride))
    assert max(window.output_size(length, size)[0], 0) == places


@given(length=LENGTH, size=SIZE, stride=STRIDE)
def test_same_padding_is_the_least_that_gives_every_place(
    length: int, size: int, stride: int
) -> None:
    window = resolve_window("conv2d", size, stride, "same", (length, length))
    (before, after), _ = window.padding
    places = -(-length // stride)
    assert window.output_size(length, length) == (places, places)
    assert after - before in (0, 1)  # the odd one at the end
    if before + after:
        less = Window(window.size, window.stride, ((before, after - 1), (before, after - 1)))
        assert less.output_size(length, length)[0] < places


@given(length=LENGTH, size=SIZE, stride=STRIDE, data=st.data())
def test_covering_is_the_window_cut_to_the_image(
    length: int, size: int, stride: int, data: st.DataObject
) -> None:
    before, after = data.draw(st.tuples(*[st.integers(0, size - 1)] * 2))
    window = Window((size, 1), (stride, 1), ((before, after), (0, 0)))
    for place in range(window.output_size(length, 1)[0]):
        down, across = window.covering(place, 0, length, 1)
        under = [row for row in range(length) if 0 <= row + before - place * stride < size]
        assert list(range(length)[down]) == under
        assert under
        assert across == slice(0, 1)


@pytest.mark.parametrize("value", [1.0, "2", None, (1, 2, 3), (1,), (1, 2.0), True,
                                   np.array(1.5), np.array([1, 2]), {1: 2}])
@pytest.mark.parametrize("name", ["size", "stride", "padding"])
def test_what_is_not_made_of_integers(name: str, value: object) -> None:
    arguments = {"size": 2, "stride": 1, "padding": 0} | {name: value}
    kind = ValueError if name == "padding" and isinstance(value, str) else TypeError
    with pytest.raises(kind, match=f"^conv2d: {name} must be .*got "):
        resolve_window("conv2d", image_size=(9, 9), **arguments)


@pytest.mark.parametrize(("arguments", "message"), [
    ({"size": (0, 1)}, r"size must be at least 1, got \(0, 1\)"),
    ({"stride": -1}, "stride must be at least 1, got -1"),
    ({"padding": (0, -1)}, r"padding must be at least 0, got \(0, -1\)"),
    ({"padding": ((0, 0), (0, -1))}, r"padding must be at least 0, got \(0, -1\)"),
    ({"padding": "SAME"}, "padding must be .*, got 'SAME'"),
    ({"size": (3, 8)}, r"a window of \(3, 8\) does not fit into an image of \(5, 7\)"),
])
def test_what_is_out_of_range(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=f"^avgpool2d: {message}"):
        resolve_window("avgpool2d", image_size=(5, 7),
                       **{"size": 2, "stride": 1, "padding": 0} | arguments)


def test_cover_refuses_windows_in_padding_alone() -> None:
    assert resolve_window("maxpool2d", 3, 1, 2, (1, 1), cover=True).padding == ((2, 2), (2, 2))
    with pytest.raises(ValueError, match="padding must be smaller than the window"):
        resolve_window("maxpool2d", (3, 2), 1, 2, (4, 4), cover=True)
