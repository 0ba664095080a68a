"""`check_file`: a process of its own, in which every accident ends in one clear verdict."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from submission_checks import SUBMISSIONS

from minicnn import InputError
from minicnn.checking import Finding, check_file

RELU = """
import numpy as np

def relu_forward(x):
    return np.maximum(x, 0), x

def relu_backward(dout, cache):
    return dout * (cache > 0)
"""


def check(tmp_path: Path, text: str, timeout: float = 10) -> dict[str, Finding]:
    """The findings about a file with this text, by function."""
    path = tmp_path / "student.py"
    path.write_text(text, encoding="utf-8")
    return {finding.function: finding for finding in check_file(path, timeout=timeout)}


def test_a_correct_file(tmp_path: Path) -> None:
    found = check(tmp_path, RELU)
    assert [finding.verdict for finding in found.values()] == ["correct", "correct"]
    assert found["relu_backward"].as_dict() == {
        "function": "relu_backward", "verdict": "correct", "fault": None, "message": "",
        "evidence": {}, "also": [], "equation": {},
    }


def test_functions_come_in_order_with_forward_first() -> None:
    name = "batchnorm_backward_alt_cs231n.py"
    assert [finding.function for finding in check_file(SUBMISSIONS / name)] == [
        "batchnorm_forward", "batchnorm_backward", "batchnorm_backward_alt"
    ]


@pytest.mark.parametrize(("text", "message"), [
    ("def f(:\n", "line 1: SyntaxError: invalid syntax"),
    ("x = 1\n  y = 2\n", "line 2: IndentationError: unexpected indent"),
    ("\n1 / 0\n", "line 2: ZeroDivisionError: division by zero"),
    ("import sys\nsys.exit(3)\n", "ends the program when it is imported (sys.exit(3))"),
    ("import os\nos._exit(3)\n", "importing the file ended the process with status 3"),
    ("import os, signal\nos.kill(os.getpid(), 9)\n", "importing the file ended the process (SIGK"),
    ("while True: pass\n", "importing the file took longer than 0.5 s"),
    ("from .layers import *\n", "line 1: ModuleNotFoundError: No module named"),
    ("import cs231n.fast_layers\n", "line 1: ModuleNotFoundError: No module named 'cs231n'"),
    ("input('name? ')\n", "line 1: EOFError"),
    ("raise KeyboardInterrupt\n", "line 1: KeyboardInterrupt"),
    ("x = 1\n", "found no function to check; expected names such as batchnorm_forward"),
])
def test_a_file_that_cannot_be_used(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        check(tmp_path, text, timeout=0.5)
    assert message in str(caught.value)
    assert "student.py" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_file(tmp_path: Path) -> None:
    for path, message in [
        (tmp_path / "none.py", "found nothing"), (tmp_path, "found a folder"),
        (tmp_path / "notes.txt", "expected a file named .py"),
    ]:
        if path.suffix == ".txt":
            path.write_text(RELU)
        with pytest.raises(InputError, match=message):
            check_file(path)


@pytest.mark.parametrize(("body", "message"), [
    ("while True: pass", "relu_backward took longer than 1 s"),
    ("import time; time.sleep(60)", "relu_backward took longer than 1 s"),
    ("import os; os._exit(7)", "relu_backward ended the process with status 7"),
    ("import os; os.abort()", "relu_backward ended the process (SIGABRT)"),
    ("raise SystemExit('bye')", "relu_backward raised in line 8: SystemExit: bye"),
    ("raise KeyboardInterrupt", "relu_backward raised in line 8: KeyboardInterrupt"),
    ("return relu_backward(dout, cache)", "relu_backward raised in line 8: RecursionError"),
    ("return np.empty(1 << 50)", "relu_backward raised in line 8: MemoryError"),
    ("return dout, cache", "relu_backward must return dx, got 2"),
    ("return 'dx'", "relu_backward must return real numbers for dx, got <U2"),
    ("return dout * 1j", "relu_backward must return real numbers for dx, got complex128"),
    ("return dout[0]", "dx should have shape (5, 7), got (7,)"),
])
def test_an_accident_in_one_function_is_its_verdict_alone(
    tmp_path: Path, body: str, message: str
) -> None:
    text = RELU.replace("return dout * (cache > 0)", body) + (
        "\ndef affine_forward(x, w, b):\n"
        "    return x.reshape(len(x), -1) @ w + b, (x, w, b)\n"
    )
    found = check(tmp_path, text, timeout=1)
    assert {name: each.verdict for name, each in found.items()} == {
        "affine_forward": "correct", "relu_forward": "correct", "relu_backward": "error"
    }
    assert message in found["relu_backward"].message


@pytest.mark.parametrize(("body", "message"), [
    ("raise NotImplementedError", "relu_backward is not written yet"),
    ("return None", "relu_backward returns None for dx (is it written yet?)"),
    ("pass", "relu_backward returns None for dx (is it written yet?)"),
    ("dx = None\n    return dx", "relu_backward returns None for dx"),
    ("dx = None\n    return dx.astype(float)", "'NoneType' object has no attribute 'astype'"),
])
def test_a_starters_body_is_not_written_yet(tmp_path: Path, body: str, message: str) -> None:
    found = check(tmp_path, RELU.replace("return dout * (cache > 0)", body))
    assert found["relu_forward"].verdict == "correct"
    assert (found["relu_backward"].verdict, found["relu_backward"].fault) == ("not-written", None)
    assert message in found["relu_backward"].message
    # beside a forward that is not written either
    both = RELU.replace("return np.maximum(x, 0), x", "out, cache = None, None; return out, cache")
    found = check(tmp_path, both.replace("return dout * (cache > 0)", body))
    assert found["relu_forward"].verdict == "not-written"
    assert found["relu_backward"].verdict in ("not-written", "not-checked")


def test_a_backward_beside_a_forward_that_raises_is_not_checked(tmp_path: Path) -> None:
    found = check(tmp_path, RELU.replace("np.maximum(x, 0), x", "np.maximum(y, 0), x"))
    assert [found[name].verdict for name in found] == ["error", "not-checked"]
    assert found["relu_backward"].message.startswith("not checked, because of its forward: ")


@pytest.mark.parametrize(("body", "hint"), [
    ("return dout * (None > 0)", "something there is None: is it written yet?"),
    ("return np.zeros(dout.size / 2)", "a size or an index needs //"),
    ("return dout[:dout.size / 2]", "a size or an index needs //"),
    ("return dout.astype(np.int)", "np.int"),
    ("return dout * np.Inf", "np.inf"),
    ("return np.product(dout)", "np.prod"),
    ("return [dout for i in xrange(3)]", "write range for xrange"),
])
def test_an_exception_comes_with_what_usually_stands_behind_it(
    tmp_path: Path, body: str, hint: str
) -> None:
    found = check(tmp_path, RELU.replace("return dout * (cache > 0)", body))["relu_backward"]
    assert found.verdict == "error"
    assert hint in found.message


@pytest.mark.parametrize(("function", "old", "new", "verdict", "message"), [
    ("relu_forward", "np.maximum(x, 0), x", "np.maximum(x, 0, out=x), x", "wrong-forward",
     "relu_forward changes the x that it was given"),
    ("relu_backward", "return dout * (cache > 0)", "dout[cache <= 0] = 0\n    return dout",
     "correct", "note: relu_backward changes the dout that it was given (relu-overwrites-dout)"),
    ("relu_backward", "return dout * (cache > 0)", "cache[:] = cache > 0\n    return dout * cache",
     "correct", "note: relu_backward changes the x that it was given"),
])
def test_changed_arguments_are_told(
    tmp_path: Path, function: str, old: str, new: str, verdict: str, message: str
) -> None:
    found = check(tmp_path, RELU.replace(old, new))
    assert found[function].verdict == verdict
    assert message in found[function].message
    others = [each.verdict for name, each in found.items() if name != function]
    assert others == ["correct"]


def test_a_stuck_forward_leaves_its_backward_unjudged(tmp_path: Path) -> None:
    text = RELU.replace("return np.maximum(x, 0), x", "\n    while True: pass")
    found = check(tmp_path, text, timeout=0.5)
    assert found["relu_forward"].message == "relu_forward took longer than 0.5 s (timeout)"
    assert found["relu_backward"].message.startswith("not checked, because relu_forward took")


def test_a_file_that_closes_its_output_and_goes_on_is_stopped(tmp_path: Path) -> None:
    text = RELU.replace("return np.maximum(x, 0), x",
                        "import os; os.closerange(3, 100)\n    while True: pass")
    found = check(tmp_path, text, timeout=1)
    assert found["relu_forward"].message.startswith("relu_forward took longer than 1 s")


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs to choose a processor")
def test_a_busy_machine_makes_no_right_file_fail(tmp_path: Path) -> None:
    slow = "\n    import time; end = time.process_time() + 0.25" \
           "\n    while time.process_time() < end: pass\n    return np.maximum(x, 0), x"
    text = "import numpy as np\nbegan = 0\n" + RELU.replace(
        "return np.maximum(x, 0), x", "global began; began += 1\n    if began == 1:" +
        slow.replace("\n    ", "\n        ") + "\n    return np.maximum(x, 0), x")
    everywhere = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(everywhere)})  # all on one processor
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(5)]
    try:
        start = time.monotonic()
        found = check(tmp_path, text, timeout=0.9)
        assert time.monotonic() - start > 0.9  # by the clock it was too long
    finally:
        os.sched_setaffinity(0, everywhere)
        for each in others:
            each.kill()
            each.wait()
    assert [each.verdict for each in found.values()] == ["correct", "correct"]


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc")
def test_a_checker_that_is_killed_leaves_no_process(tmp_path: Path) -> None:
    (tmp_path / "stuck.py").write_text(RELU.replace("return np.maximum(x, 0), x",
                                                    "\n    while True: pass"))
    checker = subprocess.Popen(
        [sys.executable, "-m", "minicnn", "check", "stuck.py", "--timeout", "600"], cwd=tmp_path,
        stdout=subprocess.DEVNULL,
    )

    def workers() -> list[Path]:
        return [path for path in Path("/proc").glob("[0-9]*/cmdline")
                if bytes(tmp_path / "stuck.py") in _content(path)]

    assert _soon(lambda: bool(workers()))
    checker.kill()
    checker.wait()
    assert _soon(lambda: not workers())


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _soon(condition: Callable[[], bool]) -> bool:
    """Whether a condition holds within some seconds."""
    end = time.monotonic() + 30
    while time.monotonic() < end and not condition():
        time.sleep(0.05)
    return condition()


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf"), 1e10])
def test_an_impossible_timeout_is_refused(tmp_path: Path, timeout: float) -> None:
    with pytest.raises(InputError, match="^timeout: expected seconds in \\(0, 1e"):
        check(tmp_path, RELU, timeout=timeout)


def test_output_is_swallowed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    noise = "import os, sys\nfor _ in range(20000): print('noise' * 100)\n" \
            "sys.stderr.write('more')\nos.write(1, b'raw')\nsys.stdout.close()\n"
    found = check(tmp_path, noise + RELU.replace("return dout", "print('x'); return dout")
                  .replace("print('x'); ", "os.write(1, b'{}\\n'); "))
    assert {each.verdict for each in found.values()} == {"correct"}
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("text", ["hello", "7", r"\xff", "[" * 100_000, '{"functions": 3}'])
def test_what_a_file_writes_among_the_messages_is_its_verdict(tmp_path: Path, text: str) -> None:
    file = tmp_path / "writes.py"
    file.write_text(f"""
import os

def relu_forward(x):
    for descriptor in range(3, 40):
        try:
            os.write(descriptor, b'{text}\\n')
        except OSError:
            pass
    return x * (x > 0), x
""")
    (finding,) = check_file(file)
    assert finding.verdict == "error"
    assert finding.message == "relu_forward wrote among the checker's messages"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_processes_and_threads_that_a_file_starts_keep_nobody_waiting(tmp_path: Path) -> None:
    start = time.monotonic()
    children = "import os, threading, time\nif os.fork() == 0:\n    time.sleep(60)\n" \
               "    os._exit(0)\nthreading.Thread(target=time.sleep, args=(60,)).start()\n"
    found = check(tmp_path, children + RELU)
    assert {each.verdict for each in found.values()} == {"correct"}
    assert time.monotonic() - start < 30


def test_a_helper_beside_the_file_is_found(tmp_path: Path) -> None:
    (tmp_path / "my_masks.py").write_text("def positive(x):\n    return x > 0\n")
    text = "from my_masks import positive\n" + RELU.replace("(cache > 0)", "positive(cache)")
    assert {each.verdict for each in check(tmp_path, text).values()} == {"correct"}


def test_what_the_file_only_imports_is_not_judged(tmp_path: Path) -> None:
    found = check(tmp_path, "from minicnn.ops import softmax, dense_forward\n" + RELU)
    assert set(found) == {"relu_forward", "relu_backward"}


def test_settings_of_numpy_and_warnings_are_the_files_own(tmp_path: Path) -> None:
    text = "import numpy as np, warnings\nnp.seterr(all='raise')\nwarnings.simplefilter('error')\n"
    text += (SUBMISSIONS / "softmax_loss_vectorised_cs231n.py").read_text(encoding="utf-8")
    assert {each.verdict for each in check(tmp_path, text).values()} == {"correct"}


@pytest.mark.parametrize("name", ["dense", "conv2d"])
def test_a_backward_alone_is_judged_with_the_documented_cache(tmp_path: Path, name: str) -> None:
    text = f"from minicnn.ops.reference import {name}_backward as right\n" \
           f"def {name}_backward(dy, cache):\n    dx, dw, db = right(dy, cache)\n" \
           f"    return dx, dw, db / len(dy)\n"
    found = check(tmp_path, text)
    assert found[f"{name}_backward"].fault in ("dense-db-averaged", "conv-dw-averaged")


def test_a_backward_alone_whose_cache_is_its_own_cannot_be_judged(tmp_path: Path) -> None:
    found = check(tmp_path, "def batchnorm_backward(dout, cache):\n    return dout, dout, dout\n")
    assert found["batchnorm_backward"].message == (
        "batchnorm_forward is needed beside it: the cache is its own")


def test_the_message_teaches(tmp_path: Path) -> None:
    path = SUBMISSIONS / "batchnorm_staged_graph_cs231n.py"
    text = path.read_text(encoding="utf-8")
    edited = text.replace("dx1 = dxmu1 + dxmu2 ", "dx1 = dxmu1 ")
    assert edited != text
    finding = check(tmp_path, edited)["batchnorm_backward"]
    assert (finding.verdict, finding.fault) == ("wrong-backward", "bn-missing-variance-term")
    assert "Your dx is T1 - T2, the right one is T1 - T2 - T3." in finding.message
    assert (finding.equation["topic"], finding.equation["number"]) == ("batch norm", 7)
    assert finding.equation["lines"][:2] == [
        "dx = T1 - T2 - T3",
        "T1 = γ·r·dout, T2 = γ·r·mean(dout), T3 = γ·r·x̂·mean(dout·x̂)",
    ]
    assert finding.evidence["of"] == "dx"
    assert finding.evidence["input"]["x"] == [[1.0], [4.0], [9.0]]
    assert len(finding.evidence["expected"]) == len(finding.evidence["received"]) == 3
