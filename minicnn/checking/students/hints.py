"""What usually stands behind an exception that a student's function raises."""

import re

HINTS: tuple[tuple[str, str], ...] = (
    (r"NoneType", "something there is None: is it written yet?"),
    (r"float.*(cannot be interpreted as an integer|cannot be used as an index)"
     r"|slice indices must be integers|only integers, slices|expected a sequence of integers",
     "/ gives a float, and a size or an index needs //"),
    (r"module 'numpy' has no attribute '(int|float|bool|complex|object|str)'",
     r"NumPy 2 has no np.\1: Python's own \1 does the same"),
    (r"module 'numpy' has no attribute '(Inf|Infinity|infty|PINF)'",
     r"NumPy 2 has no np.\1: np.inf is the same"),
    (r"module 'numpy' has no attribute 'NaN'", "NumPy 2 has no np.NaN: np.nan is the same"),
    (r"module 'numpy' has no attribute '(product|cumproduct)'",
     r"NumPy 2 has no np.\1: np.prod and np.cumprod do the same"),
    (r"module 'numpy' has no attribute '(float_|complex_|unicode_|string_)'",
     r"NumPy 2 has no np.\1: np.float64, np.complex128, np.str_ and np.bytes_ do the same"),
    (r"`?np\.(\w+)`? was removed in the NumPy 2\.0 release", r"NumPy 2 has no np.\1"),
    (r"module 'numpy' has no attribute '(\w+)'", r"this NumPy has no np.\1: was it another's?"),
    (r"only (0-dimensional|length-1|size-1) arrays can be converted",
     "an array stands where one number belongs: .item() takes an array's only element"),
    (r"output array is read-only|assignment destination is read-only",
     "that array may not be changed: work on a copy"),
    (r"Cannot cast ufunc .* from dtype\('float64'\) to dtype\('u?int",
     "the array on the left holds whole numbers: make it one of floats"),
    (r"only integer scalar arrays can be converted to a scalar index",
     "np.max and np.min take an axis there; np.maximum(0, x) takes the larger of two"),
    (r"KeyError", "the dict has no such key: has it another name, or was it never put there?"),
    (r"name '(np|numpy)' is not defined", "import numpy as np belongs at the top of the file"),
    (r"'numpy\.ndarray' object is not callable", "round brackets call, square ones index"),
    (r"could not be broadcast together with shapes \((\d+),\d+\) \(\1,?\)",
     r"(\1,) lines up with the last axis; keepdims=True in a sum or mean, or [:, None], makes it "
     r"(\1, 1), which lines up with the rows"),
    (r"not enough values to unpack|too many values to unpack",
     "there are as many names as things on the right: x.shape has one for each axis, the cache "
     "what forward put there"),
)
"""A pattern of "Type: text", and what to look for; the first that fits counts."""


def hint_for(error: BaseException) -> str:
    """What to look for, as half a sentence; empty where nothing is known."""
    try:
        text = f"{type(error).__name__}: {error}"
    except Exception:
        return ""
    for pattern, hint in HINTS:
        found = re.search(pattern, text)
        if found:
            return found.expand(hint)
    return ""
