"""``minicnn warmup``: compile all kernels now, so that nobody waits for them later."""

import io
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from minicnn.cli.backend import choose, compilation_line
from minicnn.cli.options import Threads
from minicnn.cli.output import say

if TYPE_CHECKING:
    from minicnn.training import Experiment

EXAMPLES = ("minicnn warmup", "minicnn warmup drawn-faces")

BATCHES = 2
"""How many whole batches a rehearsal trains on; a smaller one follows."""


def warmup(
    experiments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[EXPERIMENT]...",
            help="Built-in experiments or TOML files; all built-in ones if none.",
        ),
    ] = None,
    float64: Annotated[
        bool,
        typer.Option("--float64", help="The kernels of minicnn gradcheck too, which are float64."),
    ] = False,
    threads: Threads = None,
) -> None:
    """Compile the kernels that training, measuring and predicting need, for this machine.

    For those who prepare an image or a class room: the first run of everybody then starts at once.
    Each experiment is rehearsed on a few drawn faces, in a folder that is removed.
    """
    from minicnn.ops import cpu
    from minicnn.training import experiment_names, read_experiment

    choose("cpu", threads)
    chosen = [read_experiment(name) for name in experiments or experiment_names()]
    what = "\n".join([*(each.to_toml() for each in chosen), str(float64)])
    if cpu.all_compiled(what):
        say(f"all kernels are compiled; they lie in {cpu.cache_folder()}")
        return
    began, before = time.monotonic(), cpu.kernel_count()
    with compilation_line():
        for experiment in chosen:
            _rehearse(experiment)
        _read_a_table()
        if float64:
            _check_gradients()
    cpu.note_all_compiled(what)
    say(
        f"{cpu.kernel_count() - before} kernels compiled in {time.monotonic() - began:.0f} s; "
        f"they lie in {cpu.cache_folder()}"
    )


def _rehearse(experiment: "Experiment") -> None:
    """Train, measure, report and predict as the experiment does, on a few drawn faces."""
    import numpy as np
    from rich.console import Console

    from minicnn.inference.classifier import Classifier
    from minicnn.training import start_run
    from minicnn.viewing import write_report

    batch = experiment.training.batch_size
    steady = experiment.model_copy(update={"schedule": {"name": "constant"}})
    short = steady.changed(  # one epoch may be less than another schedule needs
        data={
            "source": "drawn-faces", "path": "", "limit": 0,
            "train": BATCHES * batch + 7, "validation": batch + 7, "test": 21,
        },
        training={"epochs": 1},
    )
    with TemporaryDirectory() as folder:
        out = Path(folder) / "rehearsal"
        with start_run(short, out, Console(file=io.StringIO())) as run:
            run.train()
            model, evaluation = run.finish()
            write_report(run.folder, model, run.dataset, evaluation)
        Classifier.load(out).probabilities(np.zeros((1, 48, 48), np.uint8))


def _read_a_table() -> None:
    """Read FER2013's table, of one picture a split."""
    from minicnn.data import fer2013

    with TemporaryDirectory() as folder:
        table = Path(folder) / "fer2013.csv"
        picture = " ".join(["128"] * 48**2)
        rows = [f"0,{picture},{usage}\n" for usage in ("Training", "PublicTest", "PrivateTest")]
        table.write_text("".join(["emotion,pixels,Usage\n", *rows]), encoding="utf-8")
        fer2013.load(table)


def _check_gradients() -> None:
    """Compare all layers' gradients with differences."""
    from minicnn.checking import survey

    survey.measure([], ["cpu"], lambda name: None)
