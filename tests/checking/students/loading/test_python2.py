"""Python 2 in a student's file is said to be that, with the line and what to write instead."""

import pytest

from minicnn.checking.students.loading import python2


def refused(text: str) -> str | None:
    with pytest.raises(SyntaxError) as caught:
        compile(text, "student.py", "exec")
    return python2.describe_syntax(caught.value, text)


@pytest.mark.parametrize(("line", "change"), [
    ("print 'x'", "write print(...)"),
    ("print x, y", "write print(...)"),
    ("print 'a %d' % x", "write print(...)"),
    ("print >>f, x y", "write print(...)"),
    ("if x: print x", "write print(...)"),
    ("exec 'x = 1'", "write exec(...)"),
    ("try: f()\nexcept ValueError, e:\n    pass", "write except X as e: for except X, e:"),
    ("try: f()\nexcept (KeyError, ValueError), e:\n    pass", "write except X as e:"),
    ("raise ValueError, 'bad'", "write raise X(...)"),
    ("x = a <> b", "write != for <>"),
    ("x = `a`", "write repr(x) for `x`"),
    ("x = 10L", "a whole number has no L"),
    ("x = 0755", "write 0o17 for 017"),
    ("x = ur'a'", "write r'...'"),
    ("def f(a, (b, c)):\n    pass", "a parameter cannot be a tuple now"),
    ("f = lambda (a, b): a", "a parameter cannot be a tuple now"),
    ("def f():\n\tif 1:\n        return 2", "tabs and blanks are mixed"),
])
def test_each_habit_of_python_2_is_known(line: str, change: str) -> None:
    assert change in str(refused(line))


@pytest.mark.parametrize("line", [
    "def f(:", "x = = 1", "print('a'", "x = (1, 2", "return = 3", "print(x) y", "except X",
])
def test_another_mistake_is_not_called_python_2(line: str) -> None:
    assert refused(line) is None


def test_the_other_lines_are_named() -> None:
    text = "print 'a'\nx = 1\n" + "print x\n" * 7
    assert refused(text) == ("this is Python 2: print is a function now: write print(...) "
                             "(likewise in lines 3, 4, 5, 6, 7 and 2 more)")


@pytest.mark.parametrize(("code", "change"), [
    ("xrange(3)", "write range for xrange"),
    ("unicode('a')", "write str for unicode"),
    ("raw_input()", "write input for raw_input"),
    ("reduce(max, [1])", "write functools.reduce for reduce"),
    ("import cPickle", "write pickle for cPickle"),
    ("from itertools import izip", "write zip for izip"),
    ("{}.iteritems()", "write items for iteritems"),
    ("{}.has_key(1)", "write key in d for has_key"),
    ("map(str, [1])[0]", "a map is no list now"),
    ("len(zip([1]))", "a zip is no list now"),
])
def test_a_name_of_python_2_has_its_hint(code: str, change: str) -> None:
    with pytest.raises((NameError, ImportError, AttributeError, TypeError)) as caught:
        exec(code)
    assert change in python2.hint(caught.value, str(caught.value))


@pytest.mark.parametrize("code", ["xyz(3)", "import nothing_here", "{}.colour", "len(3)"])
def test_any_other_exception_has_none(code: str) -> None:
    with pytest.raises((NameError, ImportError, AttributeError, TypeError)) as caught:
        exec(code)
    assert python2.hint(caught.value, str(caught.value)) == ""
