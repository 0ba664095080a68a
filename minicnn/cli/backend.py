"""What the commands ask of the backend: which one, how many threads, a word when it compiles."""

from contextlib import AbstractContextManager

from rich.console import Console


def choose(backend: str | None, threads: int | None) -> None:
    """Take the backend and the number of threads that the user named, if any."""
    from minicnn import ops

    if backend is None:
        ops.backend()
    else:
        ops.use_backend(backend)
    if threads is not None:
        from minicnn.ops.cpu.linalg.threads import use_threads

        use_threads(threads)


def compilation_line() -> AbstractContextManager[None]:
    """Say so, once, if kernels have to be compiled; on stderr, since stdout may be JSON."""
    from minicnn.ops.cpu.linalg.compilation import on_first_compilation

    return on_first_compilation(lambda: Console(stderr=True).print(
        "compiling kernels for this machine; they are cached for the next time …",
        highlight=False,
    ))
