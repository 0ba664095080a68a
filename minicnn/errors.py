"""The exceptions of the library's own: a user's mistake, and a training that went wrong."""


class InputError(ValueError):
    """Something handed in from outside cannot be used: a file, a setting, an image, a path.

    Its message is one line that names the place (file, row, key), what was expected and what came.
    The command line prints that line and ends with exit status 2; a program may catch it as a
    ``ValueError``.
    """


class NonFiniteLossError(RuntimeError):
    """A loss, gradient, activation or weight became NaN or infinite.

    Its message is one line: the place in training, the layer where that began, the learning rate
    and the largest weight.
    """
