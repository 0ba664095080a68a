"""Signals that ask a program to end, and what becomes of them for a while."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def answered(
    names: tuple[str, ...], answer: Callable[[int], None], *, once: bool = False
) -> Iterator[None]:
    """Within the block `answer` is called with the number of each of these signals that comes.

    Those that are ignored, as SIGHUP under nohup, stay so, and all do outside the main thread.

    Parameters
    ----------
    names : tuple of str
        Such as ``("SIGINT", "SIGTERM")``; those that the system does not have are passed over.
    answer : callable
        Runs between two instructions of the block.
    once : bool, default False
        Whether only the first signal is answered: a second one does what it did before the block.
    """
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before: dict[int, Any] = {}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def react(number: int, frame: Any) -> None:
        if once:
            restore()
        answer(number)

    if threading.current_thread() is threading.main_thread():
        before = {
            number: handler for number in numbers
            if (handler := signal.getsignal(number)) not in (signal.SIG_IGN, None)
        }
    for number in before:
        signal.signal(number, react)
    try:
        yield
    finally:
        restore()
