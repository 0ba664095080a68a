"""What goes wrong: a text that is no PTX, and a kernel that does what a GPU must not do."""

from minicnn.errors import InputError


class PTXError(InputError):
    """A PTX text, or a launch of one of its kernels, cannot be used."""


class PTXMemoryError(PTXError, MemoryError):
    """A device's memory has no room left for an array."""


class PTXFault(PTXError):
    """A running kernel did what a GPU would have done wrong, silently or not."""
