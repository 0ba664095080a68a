"""What the commands ask of the backend: which one, how many threads, a word when it compiles."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from rich.console import Console


def choose(backend: str | None, threads: int | None) -> None:
    """Take the backend and the number of threads that the user named, if any.

    Whatever is wrong with a backend's settings is said here, before a command begins.
    """
    from minicnn import ops

    if backend is None:
        ops.backend()
    else:
        ops.use_backend(backend)
    for each in ops.every_backend():  # a command may use several
        if threads is not None:
            each.use_threads(threads)


@contextmanager
def compilation_line() -> Iterator[None]:
    """Say so, once, if kernels have to be compiled; on stderr, since stdout may be JSON."""
    from minicnn import ops

    said = False

    def say() -> None:
        nonlocal said
        if not said:  # several backends may compile
            Console(stderr=True).print(
                "compiling kernels for this machine; they are cached for the next time …",
                highlight=False,
            )
        said = True

    with ExitStack() as notices:
        for each in ops.every_backend():
            notices.enter_context(each.on_first_compilation(say))
        yield
