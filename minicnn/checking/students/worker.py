"""The process in which a student's file runs: says what it finds, a line of JSON at a time.

Run as ``python -m minicnn.checking.students.worker TOKEN SECONDS FILE EXTENT BUILDS
[NAME...]``; each line begins with the token, and the seconds are the processor time for the import
and for each function. The extent is ``whole``, or ``definitions`` where the whole could not be run.
The builds are a list, as JSON, of how classes are built, and the names those of functions that are
not to be run (again). Everything that the file prints is thrown away.
"""

import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from minicnn.checking.students.examination import examine
from minicnn.checking.students.finding import Finding
from minicnn.checking.students.loading.errors import describe
from minicnn.checking.students.loading.run import load
from minicnn.checking.students.pair import Pair
from minicnn.checking.students.subject import Subject
from minicnn.checking.students.submission import find_pairs, not_looked_at
from minicnn.errors import InputError

MEMORY = 8 << 30
"""Bytes of address space that the process may take: an accident must not stop the machine."""

MOST_NOTES = 4
"""On what of a file could not be run, or is not here."""


def main() -> None:
    """Examine the file that the command line names."""
    token, seconds, path, extent = sys.argv[1], float(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]
    builds, condemned = json.loads(sys.argv[5]), set(sys.argv[6:])
    tell = _open_channel(token)
    _limit_memory()
    _be_at_home(path)
    tell({"started": True})
    _limit_time(seconds)
    try:
        submission = load(path, whole=extent == "whole")
        pairs = find_pairs(submission, builds)
    except InputError as error:
        tell({"unusable": error.reason, "argument": error.argument})
        return
    tell({
        "functions": [pair.names for pair in pairs], "failure": submission.failure,
        "notes": _shortened(submission.notes), "not looked at": not_looked_at(submission, pairs),
    })
    for pair in pairs:
        if pair.convention.forward not in condemned:
            left = {name: each for name, each in pair.backwards.items() if name not in condemned}
            _examine(replace(pair, backwards=left), path, seconds, tell)
    tell({"done": True})


def _shortened(notes: list[str]) -> list[str]:
    """The first of many notes, and how many more there are."""
    more = len(notes) - MOST_NOTES
    return notes if more <= 1 else [*notes[:MOST_NOTES], f"and {more} more like these"]


def _examine(
    pair: Pair, path: Path, seconds: float, tell: Callable[[dict[str, Any]], None]
) -> None:
    findings = examine(Subject(pair, path))
    for name in pair.names:
        tell({"judging": name})
        _limit_time(seconds)
        try:
            finding = next(findings)
        except StopIteration:
            finding = Finding(name, "not-checked", None, "not checked: the examination failed")
        except BaseException as error:  # a file that has changed NumPy, say
            failure = f"the examination failed: {describe(error, path)}"
            finding = Finding(name, "error", None, failure)
        tell({"finding": finding.as_dict()})


def _open_channel(token: str) -> Callable[[dict[str, Any]], None]:
    """Keep standard output for our own lines; the file's output and input lead nowhere."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    threading.Thread(target=_end_with_parent, args=(os.dup(0),), daemon=True).start()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    to_json = json.dumps  # as it is now, whatever the file does to it

    def tell(message: dict[str, Any]) -> None:
        channel.write(f"{token}{to_json(message)}\n")
        channel.flush()

    return tell


def _end_with_parent(descriptor: int) -> None:
    """End this process when the one that asks has closed its end, by its own end above all."""
    while os.read(descriptor, 1):
        pass
    os._exit(1)


def _limit_time(seconds: float) -> None:
    """End this process by SIGPROF when it has used so much processor time from now on, where the
    system counts it; time that other processes use does not count."""
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_PROF, seconds)


def _be_at_home(path: Path) -> None:
    """Be as if the file were run in its own folder, without arguments and without a screen."""
    sys.argv = [str(path)]
    sys.path = [str(Path(folder).absolute()) for folder in sys.path]
    os.chdir(path.parent)
    os.environ["MPLBACKEND"] = "Agg"


def _limit_memory() -> None:
    """Lower the limit, where the system has one that can be lowered."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_AS)
        if soft == resource.RLIM_INFINITY or soft > MEMORY:
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, hard))


if __name__ == "__main__":
    main()
    os._exit(0)  # whatever threads the file has started
