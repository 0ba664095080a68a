"""Signals that ask a program to end: who answers them, and for how long."""

import signal
import threading
from collections.abc import Iterator

import pytest

from minicnn.signals import answered

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="needs SIGHUP")

NAMES = ("SIGTERM", "SIGHUP", "SIGNOTHING")


def send(number: int) -> None:
    signal.raise_signal(number)


@pytest.fixture(autouse=True)
def seen() -> Iterator[list[int]]:
    """The signals that came while nothing else answered them."""
    seen: list[int] = []
    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, lambda number, frame: seen.append(number))
              for number in numbers]
    yield seen
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


def test_each_signal_is_answered_within_the_block(seen: list[int]) -> None:
    answers: list[int] = []
    with answered(NAMES, answers.append):
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGTERM):
            send(number)
    send(signal.SIGHUP)
    assert answers == [signal.SIGTERM, signal.SIGHUP, signal.SIGTERM]
    assert seen == [signal.SIGHUP]


def test_a_second_one_does_what_it_did_before(seen: list[int]) -> None:
    answers: list[int] = []
    with answered(NAMES, answers.append, once=True):
        send(signal.SIGTERM)
        send(signal.SIGHUP)
        send(signal.SIGTERM)
    assert answers == [signal.SIGTERM]
    assert seen == [signal.SIGHUP, signal.SIGTERM]


def test_an_answer_may_raise_and_what_was_before_comes_back(seen: list[int]) -> None:
    def leave(number: int) -> None:
        raise SystemExit(128 + number)

    with pytest.raises(SystemExit) as caught, answered(NAMES, leave):
        send(signal.SIGHUP)
    assert caught.value.code == 128 + signal.SIGHUP
    send(signal.SIGHUP)
    assert seen == [signal.SIGHUP]


def test_what_is_ignored_stays_so(seen: list[int]) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    answers: list[int] = []
    with answered(NAMES, answers.append):
        send(signal.SIGHUP)
        send(signal.SIGTERM)
    assert answers == [signal.SIGTERM]
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_blocks_lie_inside_each_other(seen: list[int]) -> None:
    outer: list[int] = []
    inner: list[int] = []
    with answered(NAMES, outer.append):
        with answered(NAMES, inner.append, once=True):
            send(signal.SIGTERM)
            send(signal.SIGTERM)
        send(signal.SIGTERM)
    assert (inner, outer, seen) == ([signal.SIGTERM], 2 * [signal.SIGTERM], [])


def test_outside_the_main_thread_nothing_changes(seen: list[int]) -> None:
    before = signal.getsignal(signal.SIGTERM)
    inside = []

    def run() -> None:
        with answered(NAMES, print):
            inside.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert inside == [before]
