"""Dotted keys of nested tables."""

from minicnn.files.nesting import dotted


def test_values_by_their_dotted_key():
    assert dict(dotted({"a": 1, "b": {"c": {"d": [2]}, "e": {}}})) == {"a": 1, "b.c.d": [2]}
