"""The program ``minicnn``: its commands, and how it ends.

A command is a function in a file of its own. It imports what is heavy when it is called, so that
``--help`` answers at once.
"""

import shutil
import signal
import sys
from collections.abc import Callable
from typing import Annotated, Any, Literal

import typer
from typer.exceptions import TyperException

from minicnn import __version__
from minicnn.cli import (
    bench,
    check,
    classroom,
    compare,
    data_audit,
    evaluate,
    gradcheck,
    predict,
    summary,
    train,
    warmup,
)
from minicnn.cli.output import Interruption, complain, warnings_as_lines
from minicnn.cli.wording import worded
from minicnn.errors import InputError, NonFiniteLossError
from minicnn.signals import answered, end_now
from minicnn.terminal import spell_on

SIGNALLED = {
    128 + int(getattr(signal, name)) for name in ("SIGINT", "SIGTERM", "SIGHUP")
    if hasattr(signal, name)
}
"""Exit statuses after the signals that are answered, as shells have them."""

MARKUP: Literal["rich"] | None = "rich" if shutil.get_terminal_size().columns >= 60 else None
"""How help is shown: in frames, or as plain text where their columns would cut words."""


def _bold(text: str) -> str:
    return f"[bold]{text}[/]" if MARKUP else text


app = typer.Typer(
    name="minicnn",
    help="A convolutional network library from scratch in NumPy and Numba.\n\n"
    f"{_bold('minicnn train')} alone teaches a small network to read drawn faces, in about a "
    "minute, and writes a report.",
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
    rich_markup_mode=MARKUP,
    add_completion=False,
    pretty_exceptions_enable=False,
)
data_app = typer.Typer(help="Look at a data set.", no_args_is_help=True)
app.add_typer(data_app, name="data")
classroom_app = typer.Typer(
    help="Make what a service that collects homework runs.", no_args_is_help=True)
app.add_typer(classroom_app, name="classroom")


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"minicnn {__version__}")
        raise typer.Exit


@app.callback()
def minicnn(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Options of the program as a whole."""


def _add(group: typer.Typer, command: Callable[..., Any], examples: tuple[str, ...]) -> None:
    """Add a command under its function's name, with examples below its help."""
    epilog = "\n\n".join(f"{_bold('Example')}  {example}" for example in examples)
    group.command(epilog=epilog)(worded(command))


_add(app, train.train, train.EXAMPLES)
_add(app, evaluate.evaluate, evaluate.EXAMPLES)
_add(app, predict.predict, predict.EXAMPLES)
_add(app, compare.compare, compare.EXAMPLES)
_add(app, summary.summary, summary.EXAMPLES)
_add(app, bench.bench, bench.EXAMPLES)
_add(app, gradcheck.gradcheck, gradcheck.EXAMPLES)
_add(app, check.check, check.EXAMPLES)
_add(app, warmup.warmup, warmup.EXAMPLES)
_add(data_app, data_audit.audit, data_audit.EXAMPLES)
_add(classroom_app, classroom.gradescope, classroom.GRADESCOPE)
_add(classroom_app, classroom.classroom50, classroom.CLASSROOM50)
_add(classroom_app, classroom.otter, classroom.OTTER)


def _leave(number: int) -> None:
    """Answer a signal, and end as `sys.exit` does, with the exit status that shells have for it."""
    Interruption.say()
    raise SystemExit(128 + number)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; a mistake, or an error of the system, ends with one line on stderr.

    Parameters
    ----------
    arguments : list of str, optional
        By default those of this process, which a signal then ends at once.

    Raises
    ------
    SystemExit
        Always, with the exit status.
    """
    try:
        _run(arguments)
    except SystemExit as ended:
        if arguments is None and ended.code in SIGNALLED:
            end_now(int(ended.code))
        raise


def _run(arguments: list[str] | None) -> None:
    """Run the command line, and end with its exit status."""
    spell_on(sys.stdout)
    spell_on(sys.stderr)
    Interruption.said = False
    try:
        with warnings_as_lines(), answered(("SIGTERM", "SIGHUP"), _leave):
            status = app(arguments, prog_name="minicnn", standalone_mode=False)
    except TyperException as error:
        if message := error.format_message():  # none where help was shown instead
            complain(message)
        status = 2
    except InputError as error:
        complain(str(error))
        status = 2
    except OSError as error:  # a folder that may not be entered, a name that is too long
        complain(f"{error.filename}: {error.strerror}" if error.filename else str(error))
        status = 2
    except NonFiniteLossError as error:
        complain(str(error))
        status = 1
    except MemoryError as error:
        complain(f"not enough memory: {error}")
        status = 1
    if status == 128 + signal.SIGINT:  # what becomes of a KeyboardInterrupt in a command
        Interruption.say()
    sys.exit(status)
