"""How the pages say numbers and settings."""

import math

import numpy as np
import pytest

from minicnn.viewing.page import duration, number, percent, plural, setting


@pytest.mark.parametrize(("share", "text"), [
    (0.9587, "95.9\u202f%"), (1.0, "100.0\u202f%"), (None, "–"), (math.nan, "–"),
])
def test_percent(share, text):
    assert percent(share) == text


@pytest.mark.parametrize(("value", "text"), [
    (1234567, "1,234,567"), (np.int64(12345), "12,345"), (0.123456, "0.1235"), (1e-5, "1e-05"),
    (None, "–"), (math.nan, "–"),
])
def test_number(value, text):
    assert number(value) == text


@pytest.mark.parametrize(("count", "text"), [(0, "times"), (1, "time"), (2, "times")])
def test_plural(count, text):
    assert plural(count, "time") == text


@pytest.mark.parametrize(("seconds", "text"), [
    (0.04, "0.0 s"), (9.94, "9.9 s"), (9.97, "10 s"), (59.6, "1 min 0 s"), (83, "1 min 23 s"),
    (3599.7, "1 h 0 min"), (7260, "2 h 1 min"),
])
def test_duration(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(("value", "text"), [
    (True, "yes"), (0.0, "0"), (1e-3, "0.001"), (12, "12"), ("adam", "adam"), ("", "–"), ([], "–"),
    ([1.0, 2.5], "1, 2.5"),
    ([{"type": "Conv2D", "filters": 4, "use_bias": False}, {"type": "ReLU"}],
     "Conv2D filters=4 use_bias=no\nReLU"),
])
def test_setting(value, text):
    assert setting(value) == text
