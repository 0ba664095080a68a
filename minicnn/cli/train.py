"""``minicnn train``: from an experiment to a report."""

import shlex
import sys
from signal import SIGINT
from typing import TYPE_CHECKING, Annotated

import typer

from minicnn.cli.backend import choose, compilation_line
from minicnn.cli.options import Backend, Data, Threads
from minicnn.cli.output import console, say, show, unseen_line
from minicnn.cli.progress import reading_line
from minicnn.cli.wording import OPTIONS, SETTINGS
from minicnn.errors import InputError
from minicnn.files.paths import as_path
from minicnn.signals import before_a_sudden_end

if TYPE_CHECKING:
    from minicnn.runs.folder import RunFolder
    from minicnn.training import Run

EXAMPLES = ("minicnn train paper-bn --data fer2013.csv --epochs 2",)

ExperimentName = Annotated[
    str | None,
    typer.Argument(
        metavar="EXPERIMENT",
        help="drawn-faces (default; paper-bn with --data), drawn-faces-plain, "
        "drawn-faces-layernorm, drawn-faces-groupnorm, paper-bn, paper-plain, best-single, or a "
        "TOML file.",
    ),
]
Epochs = Annotated[int | None, typer.Option(metavar="N", help="How many epochs.")]
BatchSize = Annotated[int | None, typer.Option(metavar="N", help="Images a step.")]
LearningRate = Annotated[float | None, typer.Option(metavar="X", help="Base learning rate.")]
Seed = Annotated[int | None, typer.Option(metavar="N", help="Seed of everything random.")]
Limit = Annotated[
    int | None,
    typer.Option(metavar="N", help="Use only the first N images of each split; 0 uses all."),
]
Out = Annotated[
    str | None,
    typer.Option(metavar="DIR", help="Folder of the run; runs/<experiment>-<time> by default."),
]
Resume = Annotated[
    str | None,
    typer.Option(
        metavar="DIR",
        help="Go on with the run in this folder; --epochs may change, and --data say where its "
        "images are now.",
    ),
]
CheckpointEvery = Annotated[
    str | None,
    typer.Option(
        metavar="N",
        help="Save a checkpoint every N batches (200) or seconds (90s), not only after each "
        "epoch.",
    ),
]
DetectAnomaly = Annotated[
    bool,
    typer.Option(
        "--detect-anomaly",
        help="Check every layer's output and gradients in each step, and name the first that "
        "is not finite.",
    ),
]


def train(
    experiment: ExperimentName = None,
    data: Data = None,
    epochs: Epochs = None,
    batch_size: BatchSize = None,
    lr: LearningRate = None,
    seed: Seed = None,
    backend: Backend = None,
    threads: Threads = None,
    limit: Limit = None,
    out: Out = None,
    resume: Resume = None,
    checkpoint_every: CheckpointEvery = None,
    detect_anomaly: DetectAnomaly = False,
) -> None:
    """Train a network, measure it on the test split, and write a report.

    Ctrl-C and SIGTERM end after the running step, save, and say how to go on.
    """
    from minicnn.training import Interval, read_experiment, resume_run, start_run

    choose(backend, threads)
    every = None if checkpoint_every is None else Interval.parse(
        checkpoint_every, argument="checkpoint_every")
    options = {
        "data": None if data is None else str(as_path(data).resolve()), "epochs": epochs,
        "batch_size": batch_size, "lr": lr, "seed": seed, "limit": limit,
    }
    given = {SETTINGS[name]: value for name, value in options.items() if value is not None}
    if resume is not None:
        for name, value in (("EXPERIMENT", experiment), ("--out", out)):
            if value is not None:
                raise InputError(f"--resume: the run in {resume} has its own {name}, got {value}")
        with reading_line():
            run = resume_run(
                resume, given, console, every, keep_threads=threads is not None, names=OPTIONS)
    else:
        chosen = read_experiment(experiment or ("paper-bn" if data else "drawn-faces"))
        with reading_line():
            run = start_run(chosen.with_options(given, OPTIONS), out, console, every)
    _train(run, every_layer=detect_anomaly)


def _train(run: "Run", *, every_layer: bool) -> None:
    """Train to the end and show what came of it; or say how to go on, and leave."""
    saved = False
    with run:
        try:
            way_on = before_a_sudden_end(lambda: say(_stopped_line(run.folder, saved=False)))
            with way_on, compilation_line():
                finished = run.train(every_layer=every_layer)
            if finished:
                _finish(run)
                return
            saved, status = True, 128 + (run.trainer.signal or 0)
        except (KeyboardInterrupt, SystemExit) as ended:  # outside the loop, or a second one
            status = getattr(ended, "code", 128 + SIGINT)
    say(_stopped_line(run.folder, saved))
    sys.exit(status)


def _finish(run: "Run") -> None:
    """Measure, write the report, and show the numbers of the run."""
    from minicnn import terminal
    from minicnn.viewing import read_run, write_report
    from minicnn.viewing.page import number

    model, evaluation = run.finish()
    report = write_report(
        run.folder, model, run.dataset, evaluation, command=_repeating_command(run))
    record = read_run(run.folder)
    show(evaluation.table(
        run.dataset.classes, f"{record.name}: {record.measured_on} split, best model"
    ))
    if record.copies:
        console.print(unseen_line(record.unseen), highlight=False)
    results = record.results
    console.print(terminal.bare_table(
        (terminal.line(name, style="bold"), value)
        for name, value in (
            ("test accuracy" if record.measured_on == "test" else "accuracy",
             f"{evaluation.accuracy:.2%}"),
            ("best epoch",
             f"{results['best_epoch']} of {len(record.history)} ({results['stopped']})"),
            ("time", f"{results['seconds']:.0f} s, {number(record.images_per_second)} images/s"),
            ("model", str(run.folder.model)),
            ("report", str(report)),
        )
    ), soft_wrap=True)


def _repeating_command(run: "Run") -> str:
    """The command line that trains the same again, from any working folder."""
    words = ["minicnn", "train", str(run.folder.experiment.resolve())]
    data = run.experiment.data.path
    if data and not as_path(data).is_absolute():
        words += ["--data", str(as_path(data).resolve())]
    return shlex.join(words)


def _stopped_line(folder: "RunFolder", saved: bool) -> str:
    """How far a run that a signal has ended was saved, and how to go on."""
    if saved:
        state = "Stopped and saved. Go on"
    elif folder.last.exists() or folder.previous.exists():
        state = "Stopped; its last checkpoint is as it was. Go on"
    else:
        state = "Stopped before the first checkpoint. Begin again"
    return f"{state} with:  minicnn train --resume {shlex.quote(str(folder.path))}"
