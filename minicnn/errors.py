"""The one exception that stands for a user's mistake rather than a fault of the program."""


class InputError(ValueError):
    """Something handed in from outside cannot be used: a file, a setting, an image, a path.

    Its message is one line that names the place (file, row, key), what was expected and what came.
    The command line prints that line and ends with exit status 2; a program may catch it as a
    ``ValueError``.
    """
