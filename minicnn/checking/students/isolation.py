"""Checking a file in a process of its own: an accident in it ends in one clear verdict.

This isolates accidents, not malice: the process has the user's rights.
"""

import json
import os
import queue
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from minicnn.checking.students.finding import Finding
from minicnn.checking.students.findings import Findings
from minicnn.checking.students.loading.source import NOTEBOOK
from minicnn.errors import InputError
from minicnn.files.paths import as_path

TIMEOUT = 10.0
"""Seconds for each function, and for importing the file."""

LONGEST = 1e6
"""The most seconds that can be asked for."""

_GRACE = 120.0
"""Seconds for the process to start, on a machine that is busy with others."""

_PATIENCE = 5 if hasattr(signal, "setitimer") else 1
"""How many times the limit a function may take by the clock, where processor time is what counts:
it may wait for other processes, but not for ever."""

_OUT_OF_TIME = "ended the process (SIGPROF)"
"""How a process ends whose processor time is up."""


def check_file(
    path: str | Path, *, timeout: float = TIMEOUT, build: str | Sequence[str] = ()
) -> Findings:
    """Judge every function of a student's file that one of the dialects knows.

    Parameters
    ----------
    path : str or Path
        A Python file, or a notebook (``.ipynb``), with functions of a dialect's names and
        signatures. Of a notebook, and of a file that cannot be run as a whole, only imports,
        definitions and constants are run.
    timeout : float in (0, 1e6], default 10.0
        Seconds for each function, and for importing the file: of the process's own processor time,
        so that a busy machine makes no file fail. What waits is stopped after five times as long.
    build : str or sequence of str, default ()
        How classes are built whose constructors' arguments have names that say nothing:
        ``"BatchNorm(gamma, beta)"``; with the operation before a colon where the class's name does
        not say it: ``"batchnorm: Norm(gamma, beta)"``.

    Returns
    -------
    Findings
        A list with one `Finding` for each function, a forward before its backwards. Its
        ``not_looked_at`` names what is written like a layer and known to no dialect; its ``notes``
        say what of the file could not be run.

    Raises
    ------
    InputError
        Where the file cannot be used: it is missing, does not import, or has no such function; or
        the time is out of range.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from minicnn.checking import check_file
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder, "relu.py")
    ...     _ = file.write_text('''
    ... def relu_forward(x):
    ...     return x * (x > 0), x
    ...
    ... def relu_backward(dout, cache):
    ...     return dout * (dout > 0)
    ... ''')
    ...     [(finding.function, finding.fault) for finding in check_file(file)]
    [('relu_forward', None), ('relu_backward', 'relu-mask-from-dy')]
    """
    require_timeout(timeout)
    file = as_path(path).absolute()
    if not file.is_file():
        raise InputError(f"{path}: expected a Python file, found "
                         f"{'a folder' if file.is_dir() else 'nothing'}")
    if file.suffix not in (".py", NOTEBOOK):
        raise InputError(f"{path}: expected a file named .py, or a notebook, named .ipynb")
    builds = [build] if isinstance(build, str) else list(build)
    inquiry = _Inquiry(file, str(path), timeout, builds)
    while not inquiry.run_once():
        pass
    if not inquiry.order:
        raise InputError(f"{path}: {inquiry.nothing()}")
    return Findings(
        (inquiry.found[name] for pair in inquiry.order for name in pair),
        not_looked_at=inquiry.not_looked_at, notes=inquiry.notes,
    )


def require_timeout(timeout: float) -> None:
    """Refuse what is no time limit.

    Raises
    ------
    InputError
        Where it is out of range.
    """
    if not 0 < timeout <= LONGEST:
        raise InputError(
            f"expected seconds in (0, {LONGEST:g}], got {timeout:g}", argument="timeout"
        )


class _Inquiry:
    """What is known about a file so far, over as many processes as it wears out."""

    def __init__(self, file: Path, shown: str, timeout: float, builds: list[str]) -> None:
        self.file, self.shown, self.builds = file, shown, builds
        self.timeout, self.patience = timeout, _PATIENCE * timeout
        self.order: list[list[str]] = []
        self.found: dict[str, Finding] = {}
        self.condemned: list[str] = []
        self.failure: str | None = None  # of the file as a whole
        self.notes: list[str] = []
        self.not_looked_at: list[str] = []

    def nothing(self) -> str:
        """Why there is no function to judge."""
        if self.failure:
            return self.failure
        beside = [f"; it has {', '.join(self.not_looked_at)}"] if self.not_looked_at else []
        return "".join([
            "found no function to check; expected names such as batchnorm_forward, "
            "conv2d_backward (minicnn) or conv_forward_naive, affine_backward (CS231n)",
            *beside, *(f"; {note}" for note in self.notes[:3]),
        ])

    def run_once(self) -> bool:
        """Run a process until it is done, stuck or dead; whether nothing is left to be asked."""
        token = secrets.token_hex(8)
        extent = "definitions" if self.failure else "whole"
        process = _start(
            token, self.timeout, self.file, extent, json.dumps(self.builds), self.condemned
        )
        judging: str | None = None
        loaded = False
        deadline = time.monotonic() + self.patience + _GRACE
        try:
            lines = _lines(process)
            while True:
                try:
                    line = lines.get(timeout=max(deadline - time.monotonic(), 0))
                except queue.Empty:
                    return self._stopped(judging, loaded, self._too_long())
                if line is None:
                    how = _death(process, deadline - time.monotonic())
                    if how in (None, _OUT_OF_TIME):
                        how = self._too_long()
                    return self._stopped(judging, loaded, how)
                if not line.startswith(token):  # another's, not the worker's
                    return self._stopped(judging, loaded, "wrote among the checker's messages")
                message = json.loads(line.removeprefix(token))
                if "unusable" in message:
                    raise InputError(
                        message["unusable"].replace(str(self.file), self.shown, 1),
                        argument=message["argument"],
                    )
                if "started" in message:
                    deadline = time.monotonic() + self.patience
                if "functions" in message:
                    self.order, loaded = message["functions"], True
                    self._hear(message)
                if "judging" in message:
                    judging = message["judging"]
                    deadline = time.monotonic() + self.patience
                if "finding" in message:
                    finding = Finding(**message["finding"])
                    self.found.setdefault(finding.function, finding)
                    judging = None
                if "done" in message:
                    return True
        finally:
            _kill(process)

    def _hear(self, message: dict[str, Any]) -> None:
        """Put down what a process says about the file as a whole."""
        self.failure = self.failure or message["failure"]
        self.not_looked_at, self.notes = message["not looked at"], message["notes"]
        if self.failure:
            self.notes.insert(0, f"{self.failure}; only its imports, definitions and constants "
                                 "were run")

    def _too_long(self) -> str:
        return f"took longer than {self.timeout:g} s (timeout)"

    def _stopped(self, judging: str | None, loaded: bool, how: str) -> bool:
        """Put down what became of the function that ran; whether any other is left."""
        if not loaded:
            if self.failure:
                raise InputError(f"{self.shown}: {self.failure}")
            self.failure = f"importing the file {how}"
            return False
        if judging is None:
            unknown = [name for pair in self.order for name in pair if name not in self.found]
            for name in unknown:
                self.found[name] = Finding(
                    name, "not-checked", None, f"not checked: the file {how}")
            return True
        self.condemned.append(judging)
        self.found.setdefault(judging, Finding(judging, "error", None, f"{judging} {how}"))
        for forward, *backwards in self.order:
            if forward == judging:
                for name in backwards:
                    self.found.setdefault(name, Finding(
                        name, "not-checked", None, f"not checked, because {forward} {how}"
                    ))
        return all(name in self.found for pair in self.order for name in pair)


def _start(
    token: str, timeout: float, file: Path, extent: str, builds: str, condemned: list[str]
) -> "subprocess.Popen[str]":
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1",
    }
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "minicnn.checking.students.worker", token, str(timeout),
         str(file), extent, builds, *condemned],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env=environment, text=True, encoding="utf-8", errors="replace",
        start_new_session=True,
    )


def _lines(process: "subprocess.Popen[str]") -> "queue.Queue[str | None]":
    """The lines that a process writes, as they come, and None at their end."""
    lines: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    return lines


def _death(process: "subprocess.Popen[Any]", seconds: float) -> str | None:
    """How a process ended that has closed its output, in words; None if it goes on regardless."""
    try:
        status = process.wait(max(seconds, 0))
    except subprocess.TimeoutExpired:
        return None
    if status >= 0:
        return f"ended the process with status {status}"
    try:
        return f"ended the process ({signal.Signals(-status).name})"
    except ValueError:
        return f"ended the process (signal {-status})"


def _kill(process: "subprocess.Popen[Any]") -> None:
    """End a process and those that it started."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with suppress(OSError, ValueError):
                stream.close()
