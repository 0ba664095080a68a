"""The command line: reads what the user wants and calls those who know how.

Heavy parts are imported inside the commands, so that ``--help`` answers at once.
"""

import json
import shlex
import sys
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text
from typer.exceptions import TyperException

from minicnn import __version__
from minicnn.errors import InputError, NonFiniteLossError
from minicnn.files.reading import require_folder
from minicnn.signals import answered

if TYPE_CHECKING:
    from minicnn.runs.folder import RunFolder
    from minicnn.training import Run

app = typer.Typer(
    name="minicnn",
    help="A convolutional network library from scratch in NumPy and Numba.\n\n"
    "[bold]minicnn train[/] alone teaches a small network to read drawn faces, in about a minute, "
    "and writes a report.",
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
    rich_markup_mode="rich",
    add_completion=False,
    pretty_exceptions_enable=False,
)
data_app = typer.Typer(help="Look at a data set.", no_args_is_help=True)
app.add_typer(data_app, name="data")
console = Console()

PRETRAINED = ("best-single", "paper-bn")
"""Which network of the package reads pictures where no other is named: the first that there is."""

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it: 128 + SIGINT."""

Backend = Annotated[
    str | None,
    typer.Option(metavar="B", help="Backend of the operations: cpu (default) or reference."),
]
Threads = Annotated[
    int | None,
    typer.Option(metavar="N", help="Threads of the cpu backend; the machine's cores by default."),
]
Data = Annotated[
    str | None,
    typer.Option(
        metavar="PATH",
        help="FER2013: fer2013.csv, icml_face_data.csv, a .zip or .tar.gz of either, or a folder "
        "with train/<emotion>/ and test/<emotion>/.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Model = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        help="A model (.safetensors), the folder of a run, or the name of weights that come with "
        "the package.",
    ),
]


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"minicnn {__version__}")
        raise typer.Exit


@app.callback()
def minicnn(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Options of the program as a whole."""


def _leave(number: int) -> None:
    """End the program as `sys.exit` does, with the exit status that shells have for a signal."""
    raise SystemExit(128 + number)


@app.command(epilog="[bold]Example[/]  minicnn train paper-bn --data fer2013.csv --epochs 2")
@answered(("SIGTERM", "SIGHUP"), _leave)
def train(
    experiment: Annotated[
        str | None,
        typer.Argument(
            metavar="EXPERIMENT",
            help="drawn-faces (default; paper-bn with --data), paper-bn, paper-plain, best-single, "
            "or a TOML file.",
        ),
    ] = None,
    data: Data = None,
    epochs: Annotated[int | None, typer.Option(metavar="N", help="How many epochs.")] = None,
    batch_size: Annotated[int | None, typer.Option(metavar="N", help="Images a step.")] = None,
    lr: Annotated[float | None, typer.Option(metavar="X", help="Base learning rate.")] = None,
    seed: Annotated[
        int | None, typer.Option(metavar="N", help="Seed of everything random.")
    ] = None,
    backend: Backend = None,
    threads: Threads = None,
    limit: Annotated[
        int | None,
        typer.Option(metavar="N", help="Use only the first N images of each split; 0 uses all."),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Folder of the run; runs/<experiment>-<time> by default."),
    ] = None,
    resume: Annotated[
        str | None,
        typer.Option(
            metavar="DIR",
            help="Go on with the run in this folder; --epochs may change, and --data say where its "
            "images are now.",
        ),
    ] = None,
    checkpoint_every: Annotated[
        str | None,
        typer.Option(
            metavar="N",
            help="Save a checkpoint every N batches (200) or seconds (90s), not only after each "
            "epoch.",
        ),
    ] = None,
    detect_anomaly: Annotated[
        bool,
        typer.Option(
            "--detect-anomaly",
            help="Check every layer's output and gradients in each step, and name the first that "
            "is not finite.",
        ),
    ] = False,
) -> None:
    """Train a network, measure it on the test split, and write a report.

    Ctrl-C and SIGTERM end after the running step, save, and say how to go on.
    """
    from minicnn.training import Interval, read_experiment, resume_run, start_run

    _choose(backend, threads)
    every = None if checkpoint_every is None else Interval.parse(checkpoint_every)
    options = [
        ("--data", "data.path", None if data is None else str(Path(data).resolve())),
        ("--epochs", "training.epochs", epochs),
        ("--batch-size", "training.batch_size", batch_size),
        ("--lr", "optimizer.lr", lr),
        ("--seed", "seed", seed),
        ("--limit", "data.limit", limit),
    ]
    given = {key: value for _, key, value in options if value is not None}
    if resume is not None:
        for name, value in (("EXPERIMENT", experiment), ("--out", out)):
            if value is not None:
                raise InputError(f"--resume: the run in {resume} has its own {name}, got {value}")
        run = resume_run(resume, given, console, every, keep_threads=threads is not None)
    else:
        chosen = read_experiment(experiment or ("paper-bn" if data else "drawn-faces"))
        names = {key: option for option, key, _ in options}
        run = start_run(chosen.with_options(given, names), out, console, every)
    saved = False
    with run:
        try:
            with _compilation_line():
                finished = run.train(every_layer=detect_anomaly)
            if finished:
                _finish(run)
                return
            saved, status = True, 128 + (run.trainer.signal or 0)
        except (KeyboardInterrupt, SystemExit) as ended:  # outside the loop, or a second one
            status = getattr(ended, "code", INTERRUPTED)
    console.print(_stopped_line(run.folder, saved), highlight=False, soft_wrap=True, markup=False)
    sys.exit(status)


@app.command(epilog="[bold]Example[/]  minicnn evaluate runs/mine --data fer2013.csv --split test")
def evaluate(
    model: Model,
    data: Data = None,
    split: Annotated[
        str, typer.Option(metavar="NAME", help="train, validation or test.")
    ] = "test",
    limit: Annotated[
        int, typer.Option(metavar="N", help="Use only the first N images; 0 uses all.")
    ] = 0,
    single_view: Annotated[
        bool,
        typer.Option(
            "--single-view",
            help="Show the network each picture once, also where it is to see several views.",
        ),
    ] = False,
    backend: Backend = None,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Measure a trained model on labelled images: all, and those that do not stand in training.

    Without --data a run's model is measured on the images of the run.
    """
    from minicnn.data import Views, stands_in
    from minicnn.inference.classifier import Classifier

    _choose(backend, threads)
    if split not in ("train", "validation", "test"):
        raise InputError(f"--split: expected train, validation or test, got {split!r}")
    classifier = Classifier.load(model)
    if single_view:
        classifier = replace(classifier, views=Views())
    dataset = _labelled_images(data, model, classifier.path)
    part = getattr(dataset, split)
    if limit < 0:
        raise InputError(f"--limit: expected 0 or more, got {limit}")
    part = part.take(slice(limit or None))
    if not len(part):
        raise InputError(f"--split: {dataset.name} has no {split} images")
    with _compilation_line():
        evaluation = classifier.evaluate(part)
    figures = evaluation.as_dict(dataset.classes)
    if split != "train" and len(dataset.train):
        unseen = ~stands_in(part.images, dataset.train.images)
        figures["unseen"] = evaluation.summary_of(unseen)
    if as_json:
        print(json.dumps(figures, indent=2))
        return
    views = len(classifier.views)
    console.print(evaluation.table(
        dataset.classes,
        f"{model} on {dataset.name}, {split}" + (f", {views} views of each" if views > 1 else ""),
    ))
    if "unseen" in figures:
        console.print(_unseen_line(figures["unseen"]), highlight=False)


@app.command(epilog="[bold]Example[/]  minicnn predict photo.jpg\n\n"
                    "[bold]Example[/]  minicnn predict runs/mine photo.jpg")
def predict(
    images: Annotated[
        list[str],
        typer.Argument(
            metavar="[MODEL] IMAGE...",
            help="Pictures of any size (PNG, JPEG, WebP, GIF, TIFF, BMP, PPM, AVIF), one or more; "
            "before them, a model other than the package's own: a .safetensors file, the folder of "
            "a run, or a name.",
        ),
    ],
    backend: Backend = None,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Print the probabilities of the seven expressions for pictures of faces.

    A picture is made grey, cut to its central square and resized to 48×48 pixels.
    The face should fill it.
    """
    import numpy as np

    from minicnn.data.sources.images import read_grey
    from minicnn.inference.classifier import Classifier

    _choose(backend, threads)
    model = _pretrained()
    first = Path(images[0])
    if _is_model(images[0]) or not (first.suffix or first.exists()):  # pictures have a suffix
        model, *images = images
    if model is None:
        raise InputError(
            f"predict: expected a model before the pictures, got {images[0]!r}: no weights come "
            "with this package"
        )
    classifier = Classifier.load(model)
    if not images:
        raise InputError(f"predict: expected pictures for {model} to read, got none")
    pictures = np.stack([read_grey(image) for image in images])
    with _compilation_line():
        probabilities = classifier.probabilities(pictures)
    classes = classifier.classes
    if as_json:
        answers = [
            {"image": image, **dict(zip(classes, map(float, row), strict=True))}
            for image, row in zip(images, probabilities, strict=True)
        ]
        print(json.dumps(answers, indent=2))
        return
    for image, row in zip(images, probabilities, strict=True):
        console.print(classifier.table(f"{image}, read by {model}", row))


@app.command(epilog="[bold]Example[/]  minicnn compare runs/with-bn runs/without-bn")
def compare(
    runs: Annotated[list[str], typer.Argument(metavar="RUN", help="Folders of runs, two or more.")],
    out: Annotated[
        str, typer.Option(metavar="FILE", help="The page to write.")
    ] = "compare.html",
) -> None:
    """Put runs side by side: figures, settings that differ, curves, confusion matrices.

    Ends with status 1 where the runs were not measured on the same test images.
    """
    from minicnn.runs.folder import RunFolder
    from minicnn.viewing import comparison_table, write_comparison

    if len(runs) < 2:
        raise InputError(f"compare: expected at least two runs, got {len(runs)}")
    folders = [RunFolder(run) for run in runs]
    console.print(comparison_table(folders))
    path = write_comparison(folders, Path(out))
    console.print(f"page: {path}", highlight=False, soft_wrap=True, markup=False)
    results = [folder.read_results() for folder in folders]
    if len({result["data"][result["measured_on"]] for result in results}) > 1:
        _complain("compare: the runs were measured on different test images")
        raise typer.Exit(1)


@app.command(epilog="[bold]Example[/]  minicnn summary paper-bn")
def summary(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL_OR_EXPERIMENT",
            help="A model (.safetensors), the folder of a run, a built-in experiment or a TOML "
            "file.",
        ),
    ],
) -> None:
    """Show a network as a table: shapes, parameters, multiply-adds, memory."""
    from minicnn import load
    from minicnn.runs.folder import RunFolder
    from minicnn.training import experiment_names, read_experiment

    if _is_model(model) and (Path(model).exists() or model not in experiment_names()):
        network = load(RunFolder(model).require_model() if Path(model).is_dir() else model)
    else:
        network = read_experiment(model).build().model
    console.print(network.summarize().table())


@app.command(epilog="[bold]Example[/]  minicnn bench --against torch --out benchmark")
def bench(
    against: Annotated[
        str | None,
        typer.Option(
            metavar="PROGRAM",
            help="Also time this one: torch (PyTorch on the CPU, if it is installed) or reference "
            "(plain NumPy, slow).",
        ),
    ] = None,
    threads: Annotated[
        str | None,
        typer.Option(metavar="N,N", help="Numbers of threads; by default 1 and all cores."),
    ] = None,
    batch_size: Annotated[int, typer.Option(metavar="N", min=2, help="Images of a step.")] = 64,
    rounds: Annotated[
        int, typer.Option(metavar="N", min=1, help="Of each measurement; the median counts.")
    ] = 9,
    out: Annotated[
        str | None,
        typer.Option(metavar="FOLDER", help="Write bench.csv, bench.md and pictures there."),
    ] = None,
) -> None:
    """Time every layer of the paper's network, whole steps and inference on this machine."""
    from minicnn import benchmarking
    from minicnn.benchmarking import tables

    settings = benchmarking.settings(against, threads, batch_size, rounds)
    folder = None if out is None else require_folder(out, "the folder of the benchmark")
    with _compilation_line(), console.status("measuring") as status:
        results = benchmarking.measure(settings, lambda line: status.update(f"measuring: {line}"))
    console.print(results.circumstances, highlight=False)
    for title, headings, cells in tables.tables(results):
        console.print(tables.terminal(title, headings, cells))
    if folder is not None:
        benchmarking.write(results, folder)
        console.print(f"written to {folder}", highlight=False, soft_wrap=True, markup=False)


@app.command(epilog="[bold]Example[/]  minicnn gradcheck BatchNorm Conv2D --backend cpu")
def gradcheck(
    layers: Annotated[
        list[str] | None,
        typer.Argument(metavar="[LAYER]...", help="Kinds of layers, such as Conv2D; all if none."),
    ] = None,
    backend: Annotated[
        str | None, typer.Option(metavar="B", help="cpu or reference; both by default.")
    ] = None,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Compare the gradients of the package's layers with central differences, element by element.

    Ends with status 1 where one is further off than 1e-7 in float64.
    """
    from minicnn.checking import survey

    _choose(backend, threads)
    with _compilation_line(), console.status("checking") as status:
        rows = survey.measure(
            layers or [], [backend] if backend else None,
            lambda name: status.update(f"checking: {name}"),
        )
    if as_json:
        print(json.dumps([row.as_dict() for row in rows], indent=2))
    else:
        console.print(survey.table(rows))
    if not all(row.passed for row in rows):
        raise typer.Exit(1)


@app.command(epilog="[bold]Example[/]  minicnn check --exercise batchnorm\n\n"
                    "[bold]Example[/]  minicnn check batchnorm_exercise.py")
def check(
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="FILE.py",
            help="A student's file: functions with minicnn's names and signatures, or those of "
            "CS231n's assignment 2.",
        ),
    ] = None,
    exercise: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Write a starter file instead; NAME is an operation, "
                     "such as batchnorm."),
    ] = None,
    timeout: Annotated[
        float, typer.Option(metavar="S", help="Seconds for each function.")
    ] = 10.0,
    as_json: Json = False,
) -> None:
    """Judge a student's forward and backward functions, and name the fault.

    The file is run, with your rights: that isolates accidents, not malice. Ends with status 0
    where all functions are correct, 1 where one is not, 2 where the file cannot be used.
    """
    from minicnn.checking import check_file
    from minicnn.checking.students import display, exercises

    if exercise is not None:
        path = exercises.write_exercise(exercise, None if file is None else Path(file))
        console.print(f"written to {path}", highlight=False, soft_wrap=True, markup=False)
        return
    if file is None:
        raise InputError("check: expected a file, or --exercise NAME")
    findings = check_file(file, timeout=timeout)
    if as_json:
        print(json.dumps([finding.as_dict() for finding in findings], indent=2))
    else:
        console.print(display.describe_findings(findings))
    if any(finding.verdict != "correct" for finding in findings):
        raise typer.Exit(1)


@data_app.command(epilog="[bold]Example[/]  minicnn data audit fer2013.csv --json")
def audit(
    path: Annotated[str, typer.Argument(metavar="PATH", help="As --data of minicnn train.")],
    as_json: Json = False,
) -> None:
    """Count classes, duplicates, conflicting labels, leakage between splits and blank images."""
    from minicnn.data import fer2013
    from minicnn.data.audit import audit as examine

    findings = examine(fer2013.load(path))
    if as_json:
        print(json.dumps(findings.as_dict(), indent=2))
    else:
        console.print(findings.table())


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; a mistake, or an error of the system, ends with one line on stderr."""
    try:
        status = app(arguments, prog_name="minicnn", standalone_mode=False)
    except TyperException as error:
        if message := error.format_message():  # none where help was shown instead
            _complain(message)
        status = 2
    except InputError as error:
        _complain(str(error))
        status = 2
    except OSError as error:  # a folder that may not be entered, a name that is too long
        _complain(f"{error.filename}: {error.strerror}" if error.filename else str(error))
        status = 2
    except NonFiniteLossError as error:
        _complain(str(error))
        status = 1
    except MemoryError as error:
        _complain(f"not enough memory: {error}")
        status = 1
    if status == INTERRUPTED:  # what becomes of a KeyboardInterrupt in a command
        _complain("interrupted")
    sys.exit(status)


def _complain(message: str) -> None:
    """One line on stderr, whatever the message holds."""
    print(f"minicnn: {' '.join(message.split())}", file=sys.stderr)


def _choose(backend: str | None, threads: int | None) -> None:
    from minicnn import ops

    if backend is None:
        ops.backend()
    else:
        ops.use_backend(backend)
    if threads is not None:
        from minicnn.ops.cpu.linalg.threads import use_threads

        use_threads(threads, "--threads")


def _compilation_line() -> AbstractContextManager[None]:
    """Say so, once, if kernels have to be compiled; on stderr, since stdout may be JSON."""
    from minicnn.ops.cpu.linalg.compilation import on_first_compilation

    return on_first_compilation(lambda: Console(stderr=True).print(
        "compiling kernels for this machine; they are cached for the next time …",
        highlight=False,
    ))


def _pretrained() -> str | None:
    """The name of the network that reads pictures where no other is named; None if none came."""
    from minicnn.weights import pretrained_names

    return next((name for name in PRETRAINED if name in pretrained_names()), None)


def _is_model(argument: str) -> bool:
    """Whether an argument names a model rather than a picture."""
    from minicnn.weights import pretrained_names

    return (argument.endswith(".safetensors") or argument in pretrained_names()
            or Path(argument).is_dir())


def _labelled_images(data: str | None, model: str, path: Path) -> Any:
    """The data set at `data`, or else the one that the run of the model at `path` was made with."""
    from minicnn.data import fer2013
    from minicnn.runs.folder import RunFolder
    from minicnn.training import read_experiment

    experiment = RunFolder(path.parent).experiment
    if data is not None:
        # the run's own seed, so that a validation split drawn out of train is the same one
        seed = read_experiment(experiment).seed if experiment.is_file() else 0
        return fer2013.load(data, seed=seed)
    if not experiment.is_file():
        raise InputError(f"{model}: give --data PATH, the labelled images to measure it on")
    return read_experiment(experiment).load_data()


def _unseen_line(unseen: dict[str, Any]) -> str:
    """What `Evaluation.summary_of` says of the images that do not stand in training too."""
    accuracy = "–" if unseen["accuracy"] is None else f"{unseen['accuracy']:.2%}"
    return f"accuracy on the {unseen['images']:,} images without a copy in training: {accuracy}"


def _stopped_line(folder: "RunFolder", saved: bool) -> str:
    """How far a run that a signal has ended was saved, and how to go on."""
    if saved:
        state = "Stopped and saved. Go on"
    elif folder.last.exists() or folder.previous.exists():
        state = "Stopped; its last checkpoint is as it was. Go on"
    else:
        state = "Stopped before the first checkpoint. Begin again"
    return f"{state} with:  minicnn train --resume {shlex.quote(str(folder.path))}"


def _finish(run: "Run") -> None:
    """Measure, write the report, and show the numbers of the run."""
    from minicnn.viewing import read_run, write_report
    from minicnn.viewing.page import number

    model, evaluation = run.finish()
    report = write_report(run.folder, model, run.dataset, evaluation)
    record = read_run(run.folder)
    console.print(evaluation.table(
        run.dataset.classes, f"{record.name}: {record.measured_on} split, best model"
    ))
    if record.copies:
        console.print(_unseen_line(record.unseen), highlight=False)
    results = record.results
    rows = Table(show_header=False, box=None)
    for name, value in (
        ("test accuracy" if record.measured_on == "test" else "accuracy",
         f"{evaluation.accuracy:.2%}"),
        ("best epoch",
         f"{results['best_epoch']} of {len(record.history)} ({results['stopped']})"),
        ("time", f"{results['seconds']:.0f} s, {number(record.images_per_second)} images/s"),
        ("model", str(run.folder.model)),
        ("report", str(report)),
    ):
        rows.add_row(Text(name, "bold"), Text(value))
    console.print(rows, soft_wrap=True)
