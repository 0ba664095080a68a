"""Checking what a notebook or an interactive session has defined, in its own process."""

import ast
import inspect
import signal
import textwrap
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

from minicnn.checking.students.examination import examine
from minicnn.checking.students.finding import Finding
from minicnn.checking.students.findings import Findings
from minicnn.checking.students.isolation import TIMEOUT
from minicnn.checking.students.loading.run import Submission
from minicnn.checking.students.pair import Pair
from minicnn.checking.students.subject import Subject
from minicnn.checking.students.submission import find_pairs, not_looked_at


def check_functions(
    namespace: Mapping[str, Any], *, only: Collection[str] | None = None,
    timeout: float = TIMEOUT, build: str | Sequence[str] = (),
) -> Findings:
    """Judge the functions and classes that a notebook has defined, as they are now.

    They run in this process, with what they use of the notebook. So an endless loop is stopped, but
    a function that ends the process ends the notebook's.

    Parameters
    ----------
    namespace : mapping
        Names and what they stand for: ``globals()``. Judged is what was defined there, or in a file
        in the working folder or below it.
    only : collection of str, optional
        Names of functions and classes; of a pair one is enough. All by default.
    timeout : float, default 10.0
        Seconds for each pair, by the clock.
    build : str or sequence of str, default ()
        How classes are built, as for `check_file`.

    Returns
    -------
    Findings
        At the end of a cell it shows itself as text and as HTML.

    Raises
    ------
    InputError
        Where ``build`` names no class, or no operation.

    Examples
    --------
    >>> from minicnn.checking import check_functions
    >>> def relu_forward(x):
    ...     return x * (x > 0), x
    >>> def relu_backward(dout, cache):
    ...     return dout * (dout > 0)
    >>> found = check_functions({"relu_forward": relu_forward, "relu_backward": relu_backward,
    ...                          "__name__": relu_forward.__module__})
    >>> [(finding.function, finding.fault) for finding in found]
    [('relu_forward', None), ('relu_backward', 'relu-mask-from-dy')]
    """
    submission = _as_submission(namespace)
    every = find_pairs(submission, [build] if isinstance(build, str) else build)
    pairs = [pair for pair in every if only is None or _names(pair) & set(only)]
    findings: list[Finding] = []
    for pair in pairs:
        with _at_most(timeout):
            findings += _judged(pair)
    left = not_looked_at(submission, every)
    if only is not None:
        left = [name for name in left if name.partition(" ")[0] in only]
    return Findings(findings, not_looked_at=left)


def _names(pair: Pair) -> set[str]:
    """The functions of a pair, or their class."""
    return {name.partition(".")[0] for name in pair.names}


def _as_submission(namespace: Mapping[str, Any]) -> Submission:
    """A namespace as if it were a file of the working folder."""
    module = ModuleType(str(namespace.get("__name__", "__main__")))
    vars(module).update(namespace)
    path = Path.cwd() / "notebook"
    module.__file__ = str(path)
    own = [value for value in namespace.values()
           if (inspect.isfunction(value) or isinstance(value, type))
           and value.__module__ == module.__name__]
    return Submission(path, module, [tree for value in own if (tree := _tree(value))])


def _tree(value: Any) -> ast.Module | None:
    try:
        return ast.parse(textwrap.dedent(inspect.getsource(value)))
    except (OSError, TypeError, SyntaxError):
        return None


def _judged(pair: Pair) -> list[Finding]:
    """The findings about a pair; one for each name also where time is up."""
    found: list[Finding] = []
    try:
        found += examine(Subject(pair, _place(pair)))
    except TimeoutError as error:
        found += [Finding(name, "not-checked", None, f"not checked: it {error}")
                  for name in pair.names[len(found):]]
    return found


def _place(pair: Pair) -> Path:
    """What tracebacks call the cell in which a pair was defined."""
    first = pair.forward or next(iter(pair.backwards.values()))
    return Path(inspect.unwrap(first).__code__.co_filename)


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """Raise TimeoutError in whatever runs after so many seconds, and soon again if it goes on;
    where the system has no such timer, not at all."""
    in_main = threading.current_thread() is threading.main_thread()
    if not hasattr(signal, "setitimer") or not in_main:
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"took longer than {seconds:g} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
