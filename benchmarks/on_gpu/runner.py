"""All sections, each in a process of its own: a fault or a hang ends one, not the run."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from on_gpu.options import Options
from on_gpu.sections import Section, asked_for

PROGRAM = Path(__file__).parents[1] / "gpu.py"

SLOWER = 10
"""Times as long may sections take on the interpreter, on a machine with other work."""


DONE = "done"


def run_all(options: Options) -> int:
    """Run what is not done yet.

    Returns
    -------
    int
        The exit status: 0 where every section is done, 1 where one failed, 2 where nothing could
        begin.
    """
    if refusal := why_not(options):
        print(refusal, file=sys.stderr)
        return 2
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "run.json").write_text(json.dumps(settings(options)))
    failed = []
    for section in asked_for(options):
        if is_done(options, section):
            print(f"== {section.title}: done before; --again repeats it", flush=True)
        elif not run_one(options, section):
            failed.append(section.name)
    print(f"written to {options.out}" + (f"; failed: {', '.join(failed)}" if failed else ""))
    return int(bool(failed))


def why_not(options: Options) -> str:
    """In one sentence why this run cannot begin; "" where it can."""
    if options.out.exists() and not options.out.is_dir():
        return f"--out: expected a folder, got the file {options.out}"
    if not options.again and settings_before(options) not in (None, settings(options)):
        return (f"{options.out} holds a run with other settings: choose another --out, or --again "
                "to run everything anew")
    from minicnn.ops.cuda import missing

    lack = missing()
    return f"the cuda backend cannot run on this machine: {lack}" if lack else ""


def settings(options: Options) -> dict[str, object]:
    """What results that stand side by side must have in common."""
    return {"device": options.device, "tiny": options.tiny}


def settings_before(options: Options) -> object:
    """The settings of the run in this folder; None where there is none."""
    try:
        return json.loads((options.out / "run.json").read_text())
    except OSError:
        return None
    except ValueError:
        return "unreadable"


def is_done(options: Options, section: Section) -> bool:
    """Whether it need not run; the page is always written anew."""
    return section.name != "page" and not options.again and mark(options, section).exists()


def mark(options: Options, section: Section) -> Path:
    """The file that says that a section is done."""
    return options.out / f"{section.name}.done"


def limit(options: Options, section: Section) -> float:
    """How many seconds a section may take."""
    return section.seconds * (1 if options.measures else SLOWER)


def run_one(options: Options, section: Section) -> bool:
    """Run a section to its end or to its limit; what it prints is shown and kept in its log."""
    print(f"== {section.title}", flush=True)
    mark(options, section).unlink(missing_ok=True)
    began, seconds = time.monotonic(), limit(options, section)
    process = subprocess.Popen(
        [sys.executable, str(PROGRAM), *options.words(section.name)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )
    late = threading.Event()
    timer = threading.Timer(seconds, lambda: (late.set(), end(process)))
    timer.start()
    try:
        with (options.out / f"{section.name}.log").open("w", encoding="utf-8") as log:
            assert process.stdout is not None
            for line in process.stdout:
                print(line, end="", flush=True)
                log.write(line)
                log.flush()
            ended = verdict(process.wait(), late.is_set(), seconds)
            log.write(f"{ended}\n")
    finally:  # after Ctrl-C, too, which the section does not see
        timer.cancel()
        end(process)
    took = time.monotonic() - began
    print(f"   {ended}, {took:.0f} s", flush=True)
    if ended == DONE:
        mark(options, section).write_text(json.dumps({"seconds": round(took, 1)}))
    return ended == DONE


def end(process: subprocess.Popen) -> None:
    """Kill a section and whatever it has started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def verdict(status: int, late: bool, seconds: float) -> str:
    """How a section ended."""
    if late:
        return f"stopped at its limit of {seconds:.0f} s"
    return DONE if status == 0 else f"failed with exit status {status}"
