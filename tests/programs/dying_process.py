"""`minicnn` that kills itself at the n-th moment of a kind: in a test's child process.

    python tests/programs/dying_process.py KIND N ARGUMENT...

Kinds: ``step`` (before a step), ``fsync``, ``replace`` (before a file takes its place),
``replaced`` (after it), ``half`` (in the middle of writing a file).
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from minicnn.cli import main
from minicnn.training import Trainer, history


class Countdown:
    """Kills the process when it has been called so many times."""

    def __init__(self, number: int) -> None:
        self.left = number

    def __call__(self) -> None:
        self.left -= 1
        if self.left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)


def before(owner: Any, name: str, countdown: Countdown) -> None:
    """Count before each call of a function."""
    original: Callable = getattr(owner, name)

    def counted(*arguments: Any, **options: Any) -> Any:
        countdown()
        return original(*arguments, **options)

    setattr(owner, name, counted)


def after_replace(countdown: Countdown) -> None:
    """Count after each file has taken its place."""
    original = Path.replace

    def counted(self: Path, target: Any) -> Path:
        result = original(self, target)
        countdown()
        return result

    Path.replace = counted  # type: ignore[method-assign]


def half_written(countdown: Countdown) -> None:
    """Count when half of a file is written, or half of a line added to one."""
    for name in ("write_bytes", "write_text"):
        original = getattr(Path, name)

        def counted(self: Path, data: Any, original: Any = original, **options: Any) -> int:
            original(self, data[: len(data) // 2], **options)
            countdown()
            return original(self, data, **options)

        setattr(Path, name, counted)

    def append(path: Any, text: str) -> None:
        with Path(path).open("a") as stream:
            stream.write(text[: len(text) // 2])
            stream.flush()
            countdown()
            stream.write(text[len(text) // 2 :])

    history.append_text = append


if __name__ == "__main__":
    kind, number = sys.argv[1], Countdown(int(sys.argv[2]))
    if kind == "step":
        before(Trainer, "_step", number)
    elif kind == "fsync":
        before(os, "fsync", number)
    elif kind == "replace":
        before(Path, "replace", number)
    elif kind == "replaced":
        after_replace(number)
    elif kind == "half":
        half_written(number)
    main(sys.argv[3:])
