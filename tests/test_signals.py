"""Signals that ask a program to end: who answers them, and for how long."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from minicnn.signals import answered, ended_at_once

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


IN_C = """
import hashlib, signal, sys
from minicnn.signals import before_a_sudden_end, ended_at_once

def heard(number):
    print("heard", number, flush=True)
    if sys.argv[1] == "closed":  # as of a terminal that is no longer there
        raise OSError(5, "Input/output error")

busy = sys.argv[1] != "idle"
if busy:  # an answer before the call of C code does not end the block
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: None)
def act():
    print("last act", flush=True)
    if sys.argv[1] == "closed":
        raise OSError(5, "Input/output error")

last_act = before_a_sudden_end(act)
guard = ended_at_once(
    ("SIGINT", "SIGTERM", "SIGNOTHING"), heard, busy=lambda: busy, grace=0.3)
with last_act, guard:
    print("begun", flush=True)
    hashlib.pbkdf2_hmac("sha512", b"", b"", int(sys.argv[2]))
print("never", flush=True)
"""


def interrupted(number: int, busy: str, rounds: int) -> tuple[list[str], int, float]:
    """What a process prints that gets a signal inside a call of C code; its end, after so long."""
    process = subprocess.Popen(
        [sys.executable, "-c", IN_C, busy, str(rounds)], stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    start = time.monotonic()
    process.send_signal(number)
    try:
        printed, _ = process.communicate(timeout=120)
    finally:
        process.kill()
    return printed.splitlines(), process.wait(), time.monotonic() - start


@pytest.mark.parametrize("stderr", ["busy", "closed"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_process_inside_c_code_says_so_and_ends(number: int, stderr: str) -> None:
    printed, status, seconds = interrupted(number, stderr, 2**31 - 1)  # half an hour
    assert printed == [f"heard {number:d}", "last act"]
    assert status == 128 + number
    assert seconds < 60


def test_what_may_not_be_cut_short_is_not() -> None:
    printed, status, _ = interrupted(signal.SIGTERM, "idle", 2_000_000)
    assert printed == ["heard 15"]  # when the main thread is back
    assert status == 143


def test_the_main_thread_answers_where_it_can(seen: list[int]) -> None:
    said: list[int] = []
    with ended_at_once(("SIGHUP",), said.append):
        send(signal.SIGHUP)
        deadline = time.monotonic() + 30
        while not said and time.monotonic() < deadline:
            time.sleep(0.01)
    assert said == seen == [signal.SIGHUP]
    assert signal.set_wakeup_fd(-1) == -1


def test_a_signal_that_nobody_answers_raises_within_the_block_alone(seen: list[int]) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    said: list[int] = []
    with pytest.raises(SystemExit) as caught, ended_at_once(("SIGHUP",), said.append):
        send(signal.SIGHUP)
    assert caught.value.code == 128 + signal.SIGHUP
    assert said == [signal.SIGHUP]
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_DFL
