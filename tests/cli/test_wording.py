"""The library's mistakes in the words of the command line."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import pytest
import typer

from minicnn.cli.wording import option, worded
from minicnn.errors import InputError, ResumableError


def command_that_raises(error: Exception) -> Callable[..., None]:
    """A command with an argument and two options that always ends so."""
    @worded
    def command(
        path: Annotated[str, typer.Argument()] = "",
        batch_size: Annotated[int, typer.Option()] = 1,
        epochs: Annotated[int, typer.Option()] = 1,
    ) -> None:
        raise error

    return command


def test_options_have_dashes() -> None:
    assert option("batch_size") == "--batch-size"


@pytest.mark.parametrize(("argument", "message"), [
    ("batch_size", "--batch-size: expected 1"),
    ("training.batch_size", "--batch-size: expected 1"),
    ("training.epochs", "--epochs: expected 1"),
    ("seed", "seed: expected 1"),  # an option of another command
    ("path", "path: expected 1"),  # no option
    ("MINICNN_NUM_THREADS", "MINICNN_NUM_THREADS: expected 1"),
    (None, "expected 1"),
])
def test_an_argument_becomes_the_option_of_the_command(argument: str | None, message: str) -> None:
    with pytest.raises(InputError) as caught:
        command_that_raises(InputError("expected 1", argument=argument))()
    assert str(caught.value) == message


def test_where_a_run_can_be_resumed_the_command_is_named() -> None:
    with pytest.raises(InputError) as caught:
        command_that_raises(ResumableError("in use; resume it", Path("my run")))()
    assert str(caught.value) == "in use; resume it (minicnn train --resume 'my run')"


def test_other_errors_stay_as_they_are() -> None:
    with pytest.raises(OSError, match="^disk$"):
        command_that_raises(OSError("disk"))()
