"""What the commands ask of the backend: which one, how many threads, a word when it compiles."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from minicnn.cli.compilation import CompilationLine


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
def compilation_line() -> Iterator[CompilationLine]:
    """Say so if kernels have to be compiled, and end soon if a signal comes meanwhile."""
    from minicnn import ops
    from minicnn.signals import ended_at_once

    line = CompilationLine()
    with ExitStack() as blocks:
        blocks.callback(line.close)
        blocks.enter_context(ended_at_once(
            ("SIGINT", "SIGTERM", "SIGHUP"), line.interrupted, busy=line.is_compiling
        ))
        for each in ops.every_backend():
            blocks.enter_context(each.watch_compilation(line.begin, line.end))
        yield line
