"""The exceptions of the library's own: a user's mistake, and a training that went wrong."""

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
    """

    def __init__(self, message: str) -> None:
        shown = "".join(
            character if character.isprintable() else ascii(character)[1:-1]
            for character in message[: _LONGEST + 1]
        )
        super().__init__(shown if len(shown) <= _LONGEST else shown[:_LONGEST] + "…")


class NonFiniteLossError(RuntimeError):
    """A loss, gradient, activation or weight became NaN or infinite.

    Its message is one line: the place in training, the layer where that began, the learning rate
    and the largest weight.
    """
