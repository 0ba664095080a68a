"""The exceptions and warnings of the library's own."""

import copyreg
import os
import warnings
from typing import Any

_LONGEST = 1000


class InputError(ValueError):
    """Something handed in from outside cannot be used: a file, a setting, an image, a path.

    Its message is one line that names the place (file, row, key), what was expected and what came.
    The command line prints that line and ends with exit status 2; a program may catch it as a
    ``ValueError``.

    Parameters
    ----------
    message : str
        What of it comes from a stranger's file may hold anything: line ends and other characters
        that do not show are escaped, and all beyond 1,000 characters is cut.
    argument : str, optional
        The argument of the call that cannot be used, such as ``"epochs"``: it begins the message.
        The command line calls it by its option instead.

    Attributes
    ----------
    argument : str or None
    reason : str
        The message without the argument's name.
    """

    def __init__(self, message: str, *, argument: str | None = None) -> None:
        printable = "".join(
            character if character.isprintable() else ascii(character)[1:-1]
            for character in message[: _LONGEST + 1]
        )
        self.argument = argument
        self.reason = printable if len(printable) <= _LONGEST else printable[:_LONGEST] + "…"
        super().__init__(self.reason if argument is None else f"{argument}: {self.reason}")

    def __reduce__(self) -> tuple[Any, ...]:
        # as it is: a second __init__ would escape and cut the message again
        return copyreg.__newobj__, (type(self), *self.args), vars(self)  # type: ignore[attr-defined]


class ResumableError(InputError):
    """A folder cannot be used as it is, but the run in it can be resumed.

    Parameters
    ----------
    message : str
    folder : path
        Of the run.
    """

    def __init__(self, message: str, folder: "str | os.PathLike[str]") -> None:
        super().__init__(message)
        self.folder = folder


class NonFiniteLossError(RuntimeError):
    """A loss, gradient, activation or weight became NaN or infinite.

    Its message is one line: the place in training, the layer where that began, the learning rate
    and the largest weight.
    """


class NotCompiledError(RuntimeError):
    """A kernel would have to be compiled where nothing is to be compiled; names the kernel."""


class MachineWarning(UserWarning):
    """This machine lacks something, and the library goes on in another way; the message says how.

    The command line prints it as a line.
    """


def notify(message: str) -> None:
    """Warn of what the machine lacks, in one line that names no line of code."""
    warnings.warn_explicit(message, MachineWarning, "minicnn", 1)


class PictureWarning(UserWarning):
    """A picture was read by an assumption, or shows too little; the message says which and why.

    The command line prints it as a line.
    """
