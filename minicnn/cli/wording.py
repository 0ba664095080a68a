"""The library's mistakes in the words of the command line: options instead of arguments."""

import functools
import inspect
import shlex
from collections.abc import Callable
from typing import Any

from typer.models import OptionInfo

from minicnn.errors import InputError, ResumableError

SETTINGS = {
    "data": "data.path",
    "epochs": "training.epochs",
    "batch_size": "training.batch_size",
    "lr": "optimizer.lr",
    "seed": "seed",
    "limit": "data.limit",
}
"""Parameters of the commands that are settings of an experiment, with the dotted keys of these."""


def option(name: str) -> str:
    """What the command line calls a parameter: ``"--batch-size"`` for ``"batch_size"``."""
    return f"--{name.replace('_', '-')}"


OPTIONS = {key: option(name) for name, key in SETTINGS.items()}
"""The same settings by their dotted keys, with the options that set them."""


def of_time(message: str) -> str:
    """A message about a limit of time that was met, with the option that sets it."""
    return message.replace("(timeout)", f"({option('timeout')} allows more)")


def worded(command: Callable[..., Any]) -> Callable[..., Any]:
    """The same command; the errors of the library that it ends with name its options."""
    @functools.wraps(command)
    def run(*arguments: Any, **options: Any) -> Any:
        try:
            return command(*arguments, **options)
        except ResumableError as error:
            folder = shlex.quote(str(error.folder))
            raise InputError(f"{error} (minicnn train --resume {folder})") from error
        except InputError as error:
            if error.argument is None:
                raise InputError(of_time(str(error))) from error
            raise InputError(f"{_own_name(command, error.argument)}: {error.reason}") from error

    return run


def _own_name(command: Callable[..., Any], argument: str) -> str:
    """The command's option for an argument of the library; the argument where it has none."""
    keys = {key: name for name, key in SETTINGS.items()}
    name = keys.get(argument, argument)
    parameter = inspect.signature(command).parameters.get(name)
    kinds = getattr(getattr(parameter, "annotation", None), "__metadata__", ())
    return option(name) if any(isinstance(kind, OptionInfo) for kind in kinds) else argument
