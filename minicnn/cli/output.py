"""What the commands print: results on stdout, complaints on stderr."""

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from rich.console import Console

from minicnn import terminal
from minicnn.errors import MachineWarning, PictureWarning

if not os.environ.get("COLUMNS", "1").strip("0"):  # of a shell that knows no width
    del os.environ["COLUMNS"]

console = Console()


def show(content: "terminal.RenderableType") -> None:
    """A table, or what else there is to see, on stdout."""
    terminal.show(console, content)


def say(line: str) -> None:
    """One line on stdout, exactly as it is: not folded, brackets no markup."""
    console.print(line, highlight=False, soft_wrap=True, markup=False)


def complain(message: str) -> None:
    """One line on stderr, whatever the message holds."""
    print(f"minicnn: {' '.join(message.split())}", file=sys.stderr)


class Interruption:
    """The line that answers a signal: once, however many places hear of it."""

    said = False

    @classmethod
    def say(cls, what: str = "interrupted") -> None:
        """Say it on stderr, unless it was said."""
        if not cls.said:
            cls.said = True
            complain(what)


@contextmanager
def warnings_as_lines() -> Iterator[None]:
    """Show each of the library's own warnings as one line on stderr, however often it comes."""
    show = warnings.showwarning

    def complain_or_show(
        message: Warning | str, category: type[Warning], filename: str, lineno: int,
        file: TextIO | None = None, line: str | None = None,
    ) -> None:
        if issubclass(category, PictureWarning | MachineWarning):
            complain(str(message))
        else:
            show(message, category, filename, lineno, file, line)

    with warnings.catch_warnings():
        warnings.simplefilter("always", PictureWarning)
        warnings.showwarning = complain_or_show
        yield


def unseen_line(unseen: dict[str, Any]) -> str:
    """What `Evaluation.summary_of` says of the images that do not stand in training too."""
    accuracy = "–" if unseen["accuracy"] is None else f"{unseen['accuracy']:.2%}"
    return f"accuracy on the {unseen['images']:,} images without a copy in training: {accuracy}"
