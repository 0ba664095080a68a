"""Signals that ask a program to end, and what becomes of them for a while.

Python answers a signal between two of its own instructions, in the main thread. While that is
inside a long call of C code, as a compiler's, nobody answers; `ended_at_once` does.
"""

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
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


LAST_ACTS: list[Callable[[], None]] = []
"""What `ended_at_once` calls before it ends the process; see `before_a_sudden_end`."""


@contextmanager
def before_a_sudden_end(act: Callable[[], None]) -> Iterator[None]:
    """Within the block, `ended_at_once` calls `act` before it ends the process.

    Where the main thread answers the signal itself, `act` is not called.

    Parameters
    ----------
    act : callable
        Runs in a thread of its own, such as the end of another process, or a last word.
    """
    LAST_ACTS.append(act)
    try:
        yield
    finally:
        LAST_ACTS.remove(act)


@contextmanager
def ended_at_once(
    names: tuple[str, ...], say: Callable[[int], None], *,
    busy: Callable[[], bool] = lambda: True, grace: float = 2.0,
) -> Iterator[None]:
    """Within the block, one of these signals ends the program soon, even inside a call of C code.

    The signal does what it does without this block, as soon as the main thread can answer it;
    SIGTERM raises `SystemExit` where nobody answers it. Meanwhile `say` is called at once, and if
    the block is not left in time the process ends, with the exit status that shells have for the
    signal. What it was doing is lost; files that are replaced in one step are whole.

    Parameters
    ----------
    names : tuple of str
        Such as ``("SIGINT", "SIGTERM")``; those that the system does not have are passed over.
    say : callable
        Called with the signal's number, once, in whichever thread hears of it first. Where it
        cannot write, as to a terminal that was closed, the program ends all the same.
    busy : callable, optional
        Whether the main thread is doing what may be cut short; always by default. A signal that
        comes at another time waits until it is.
    grace : float, default 2.0
        Seconds for the main thread to leave the block.

    Notes
    -----
    Outside the main thread nothing changes, and signals that are ignored stay so.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [int(getattr(signal, name)) for name in names if hasattr(signal, name)]
    unanswered = [number for number in numbers if signal.getsignal(number) is signal.SIG_DFL]
    left, told = threading.Event(), threading.Event()

    def tell(number: int) -> None:
        if not told.is_set():
            told.set()
            with suppress(OSError):
                say(number)

    def leave(number: int, frame: Any) -> None:
        tell(number)
        raise SystemExit(128 + number)

    for number in unanswered:
        signal.signal(number, leave)
    reader, writer = socket.socketpair()
    writer.setblocking(False)

    def watch() -> None:
        number = 0
        while number not in numbers:
            number = reader.recv(1)[0]
            if left.is_set():
                return
        deadline = None
        while not left.is_set():
            if busy() and deadline is None:
                tell(number)
                deadline = time.monotonic() + grace
            elif busy() and deadline is not None and time.monotonic() > deadline:
                _end(number)
            left.wait(0.05)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        left.set()
        writer.send(b"\0")  # wakes the watcher
        watcher.join()
        reader.close()
        writer.close()
        for number in unanswered:
            signal.signal(number, signal.SIG_DFL)


def _end(number: int) -> None:
    """End this process, wherever its main thread is."""
    for act in LAST_ACTS:
        with suppress(OSError):  # a last word may have no place to go
            act()
    end_now(128 + number)


def end_now(status: int) -> None:
    """End this process without Python's own end, which may fail after C code was interrupted.

    What is written is flushed; functions of `atexit` are not called.

    Parameters
    ----------
    status : int
        The exit status.
    """
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)
