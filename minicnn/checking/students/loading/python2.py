"""Python 2 in a student's file: which line shows it, and what to write instead."""

import re
from typing import NamedTuple


class _Habit(NamedTuple):
    """Something that Python 2 took: what its lines look like, and what Python 3 wants."""

    line: re.Pattern[str]
    change: str


SYNTAX = (
    _Habit(re.compile(r"(^|[;:])\s*print(\s+[^\s(=.]|\s*$|\s*>>|\s+\(.*\)\s*(%|,)|\s*[\"'])"),
           "print is a function now: write print(...)"),
    _Habit(re.compile(r"^\s*exec\s+[^(\s=]"), "exec is a function now: write exec(...)"),
    _Habit(re.compile(r"^\s*except\s+[\w.]+\s*,\s*\w+\s*:|^\s*except\s+\(.*\)\s*,\s*\w+\s*:"),
           "write except X as e: for except X, e:"),
    _Habit(re.compile(r"^\s*raise\s+[\w.]+\s*,"), "write raise X(...) for raise X, ..."),
    _Habit(re.compile(r"<>"), "write != for <>"),
    _Habit(re.compile(r"`[^`]+`"), "write repr(x) for `x`"),
    _Habit(re.compile(r"(?<![\w.])\d+[lL]\b"), "a whole number has no L at its end now"),
    _Habit(re.compile(r"(?<![\w.])0[0-7]+\b(?!\.)"), "write 0o17 for 017"),
    _Habit(re.compile(r"(?<!\w)[uU][rR][\"']"), "write r'...' for ur'...'"),
    _Habit(re.compile(r"(def\s+\w+\s*\(|lambda\s).*\([\w\s,]+\)\s*[,:)]"),
           "a parameter cannot be a tuple now: take it apart inside the function"),
)
"""Those that Python 3 refuses before it runs anything."""

NAMES = {
    "xrange": "range", "unicode": "str", "basestring": "str", "raw_input": "input", "long": "int",
    "unichr": "chr", "reduce": "functools.reduce", "file": "open",
    "izip": "zip", "imap": "map", "ifilter": "filter", "cPickle": "pickle", "Queue": "queue",
    "iteritems": "items", "iterkeys": "keys", "itervalues": "values", "ConfigParser":
    "configparser", "StringIO": "io.StringIO", "urllib2": "urllib.request", "__builtin__":
    "builtins", "has_key": "key in d", "maxint": "maxsize",
}
"""Names of Python 2, and those that have their place."""

_UNKNOWN_NAME = re.compile(
    r"name '(\w+)' is not defined|No module named '(\w+)'|has no attribute '(\w+)'"
    r"|cannot import name '(\w+)'"
)
_LAZY = re.compile(r"'(map|filter|zip|dict_keys|dict_values|dict_items|range)' object "
                   r"(is not subscriptable|does not support item assignment)|"
                   r"object of type '(map|filter|zip)' has no len")


def describe_syntax(error: SyntaxError, text: str) -> str | None:
    """What is to be changed where Python 2's grammar is the reason; None where it is not."""
    lines = text.splitlines()
    number = error.lineno or 0
    if isinstance(error, TabError):
        return ("tabs and blanks are mixed, which Python 2 allowed: let the editor turn every tab "
                "into blanks")
    if not 0 < number <= len(lines):
        return None
    habit = next((each for each in SYNTAX if each.line.search(lines[number - 1])), None)
    if habit is None:
        return None
    others = [str(at) for at, line in enumerate(lines, start=1)
              if at != number and habit.line.search(line)]
    likewise = ""
    if others:
        more = f" and {len(others) - 5} more" if len(others) > 5 else ""
        likewise = f" (likewise in line{'s' * (len(others) > 1)} {', '.join(others[:5])}{more})"
    return f"this is Python 2: {habit.change}{likewise}"


def hint(error: BaseException, text: str) -> str:
    """What to write instead, where an exception comes of a name of Python 2; empty elsewhere."""
    if isinstance(error, NameError | ImportError | AttributeError):
        found = _UNKNOWN_NAME.search(text)
        name = next(filter(None, found.groups()), "") if found else ""
        if name in NAMES:
            return f" (this is Python 2: write {NAMES[name]} for {name})"
    lazy = _LAZY.search(text)
    if isinstance(error, TypeError) and lazy:
        kind = lazy.group(1) or lazy.group(3)
        return f" (this is Python 2: a {kind} is no list now, write list(...) round it)"
    return ""
