"""Starting a run: from an experiment to a folder of its own."""

import os
from datetime import datetime
from pathlib import Path

from minicnn import terminal
from minicnn.errors import InputError
from minicnn.files.paths import as_path
from minicnn.files.reading import require_folder
from minicnn.files.writing import atomic_write_text
from minicnn.runs.folder import RunFolder
from minicnn.training.assembly import assemble, load_data
from minicnn.training.checkpoint import Interval
from minicnn.training.experiment import Experiment
from minicnn.training.run import Run


def start_run(
    experiment: Experiment, out: str | os.PathLike | None, console: "terminal.Console",
    checkpoint_every: Interval | None = None,
) -> Run:
    """A run from the start, in a new folder.

    Parameters
    ----------
    experiment : Experiment
    out : path or None
        The folder; ``runs/<name>-<date>-<time>`` by default.
    console : rich.console.Console
        Where to show progress.
    checkpoint_every : Interval, optional
        How often to save within an epoch; by default only after each.

    Returns
    -------
    Run
        To be used in a ``with`` block, which gives the folder free for other processes.

    Raises
    ------
    InputError
        Where the folder is in use or cannot be made, or the data cannot be used; no run is begun
        then.
    """
    if out is None:
        out = Path("runs") / f"{experiment.name}-{datetime.now():%Y%m%d-%H%M%S}"
    if not os.fspath(out):
        raise InputError("expected the folder of the run, got an empty path", argument="out")
    folder = RunFolder(out)
    folder.require_unused()
    plan = experiment.build()
    if experiment.data.path:
        experiment = experiment.changed(data={"path": str(as_path(experiment.data.path).resolve())})
    experiment = experiment.completed()
    load_data(experiment, plan, console)
    trainer, best = assemble(experiment, plan, folder, console, checkpoint_every)
    require_folder(out, "the folder of the run")
    lock = folder.lock()
    try:
        folder.require_unused()  # somebody may have begun meanwhile
        atomic_write_text(folder.experiment, experiment.to_toml())
    except BaseException:
        lock.release()
        raise
    return Run(experiment, folder, plan.data, trainer, best, lock)
