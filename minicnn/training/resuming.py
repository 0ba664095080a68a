"""Resuming a run: from its last checkpoint, with nothing changed but what may be."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

from minicnn import terminal
from minicnn.data import Dataset
from minicnn.errors import InputError
from minicnn.files.nesting import dotted
from minicnn.files.writing import atomic_write_text, remove_parts
from minicnn.runs.folder import RunFolder
from minicnn.training import environment
from minicnn.training.assembly import CHECKPOINT_VERSION, assemble, fingerprints, load_data
from minicnn.training.checkpoint import Interval
from minicnn.training.experiment import Experiment, read_experiment
from minicnn.training.plan import Plan
from minicnn.training.run import Run
from minicnn.training.trainer import Trainer


def resume_run(
    out: str | os.PathLike, changes: dict[str, Any], console: "terminal.Console",
    checkpoint_every: Interval | None = None, *, keep_threads: bool = False,
    names: Mapping[str, str] | None = None,
) -> Run:
    """The run of a folder, ready to go on from its last checkpoint.

    It goes on with as many threads as it was begun with, where the machine has them.

    Parameters
    ----------
    out : path
        The folder.
    changes : dict
        Settings that the user gave again, by their dotted key (``"training.epochs"``); only the
        number of epochs, at least those that are done, may differ from the run's own.
    console : rich.console.Console
        Where to show progress.
    checkpoint_every : Interval, optional
        How often to save within an epoch; by default only after each.
    keep_threads : bool, default False
        Leave the number of threads as it is.
    names : mapping of str to str, optional
        What error messages call a setting that may change: ``{"training.epochs": "epochs"}``.

    Returns
    -------
    Run
        To be used in a ``with`` block, which gives the folder free for other processes.

    Raises
    ------
    InputError
        Where there is no run, its checkpoints are damaged, another process has it, or the data or
        a setting is another one.
    """
    folder = RunFolder(out)
    if not folder.experiment.is_file():
        raise InputError(f"{out}: expected the folder of a run, but it has no experiment.toml")
    lock = folder.lock()
    try:
        for place in (folder.path, folder.pictures):
            remove_parts(place)
        earlier = read_experiment(folder.experiment)
        experiment = _with_changes(earlier, changes, names or {})
        return _resume(
            folder, earlier, experiment, console, checkpoint_every, keep_threads, lock)
    except BaseException:
        lock.release()
        raise


def _resume(
    folder: RunFolder, earlier: Experiment, experiment: Experiment, console: "terminal.Console",
    every: Interval | None, keep_threads: bool, lock: FileLock,
) -> Run:
    """The run of a folder that nobody else has, by the `experiment` that was the `earlier` one."""
    plan = experiment.build()
    if folder.is_begun:
        header, tensors, path = _read_checkpoint(folder, console)
        _require_same_settings(folder, earlier, header.get("experiment"))
        load_data(experiment, plan, console)
        _require_same_data(folder, plan.data, header.get("data"))
        for note in environment.go_on_with(header.get("circumstances"), keep_threads):
            console.print(note, highlight=False, soft_wrap=True, markup=False)
        trainer, best = assemble(
            experiment, plan, folder, console, every, last_is_whole=path == folder.last
        )
        _load_state(trainer, header, tensors, path, folder)
        _require_useful_epochs(earlier, experiment, plan, done=len(trainer.history))
    else:
        console.print("no checkpoint yet: the run begins again", highlight=False)
        load_data(experiment, plan, console)
        trainer, best = assemble(experiment, plan, folder, console, every)
    atomic_write_text(folder.experiment, experiment.to_toml())
    return Run(experiment, folder, plan.data, trainer, best, lock)


def _with_changes(
    experiment: Experiment, changes: dict[str, Any], names: Mapping[str, str]
) -> Experiment:
    """The experiment with other epochs or data elsewhere, if nothing else differs.

    Whether the data elsewhere is the same is for its fingerprint to say.
    """
    own = dict(dotted(experiment.model_dump()))
    allowed = {"training.epochs", *(["data.path"] if experiment.data.source == "fer2013" else [])}
    for key, value in changes.items():
        if key not in allowed and value != own.get(key):
            raise InputError(
                f"the run has {key} = {json.dumps(own.get(key))}, got {json.dumps(value)}; only "
                f"{names.get('training.epochs', 'training.epochs')} may change, and "
                f"{names.get('data.path', 'data.path')} where the images of FER2013 are now",
                argument=key,
            )
    return experiment.with_options(
        {key: value for key, value in changes.items() if key in allowed}, names
    )


def _read_checkpoint(
    folder: RunFolder, console: "terminal.Console"
) -> tuple[dict[str, Any], dict[str, np.ndarray], Path]:
    """The last checkpoint that is whole: its header, its arrays and its file."""
    header, tensors, path = folder.read_checkpoint()
    if path != folder.last:
        console.print(f"{folder.last.name} is damaged or missing: going on from {path.name}",
                      highlight=False, soft_wrap=True, markup=False)
    if header.get("version") != CHECKPOINT_VERSION:
        raise InputError(
            f"{path}: expected checkpoint format {CHECKPOINT_VERSION}, "
            f"got {header.get('version')!r}"
        )
    return header, tensors, path


def _require_same_settings(folder: RunFolder, experiment: Experiment, saved: Any) -> None:
    """Refuse an experiment.toml that was edited since, but for epochs and the data's place."""
    own = dict(dotted(experiment.model_dump(mode="json")))
    before = dict(dotted(saved)) if isinstance(saved, dict) else {}
    for key in sorted(own.keys() | before.keys()):
        if own.get(key) != before.get(key) and key not in ("training.epochs", "data.path"):
            raise InputError(
                f"{folder.experiment}: the run was begun with {key} = "
                f"{json.dumps(before.get(key))}, got {json.dumps(own.get(key))}"
            )


def _require_same_data(folder: RunFolder, dataset: Dataset, saved: Any) -> None:
    """Refuse other images than those that the run was begun with."""
    for split, fingerprint in fingerprints(dataset).items():
        if not isinstance(saved, dict) or saved.get(split) != fingerprint:
            raise InputError(
                f"{folder.path}: the run was started on other data: its {split} split differs "
                f"from that of {dataset.name}"
            )


def _load_state(
    trainer: Trainer, header: dict[str, Any], tensors: dict[str, np.ndarray], path: Path,
    folder: RunFolder,
) -> None:
    """Give the trainer the state of a checkpoint, if a training can have left it."""
    _require_sane(path, tensors)
    try:
        trainer.load_state_dict(header["trainer"], tensors)
    except KeyError as error:
        raise InputError(f"{path}: the checkpoint lacks {error}") from error
    except (AttributeError, TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{path}: does not fit {folder.experiment}: {error}") from error


def _require_sane(path: Path, tensors: dict[str, np.ndarray]) -> None:
    """Refuse numbers that no training leaves: not finite, or variances below 0."""
    for name, array in tensors.items():
        if not np.isfinite(array).all():
            raise InputError(f"{path}: {name}: expected finite numbers, got NaN or infinity")
        if name.endswith("running_var") and (array < 0).any():
            raise InputError(f"{path}: {name}: expected variances of at least 0, got less")


def _require_useful_epochs(
    earlier: Experiment, experiment: Experiment, plan: Plan, done: int
) -> None:
    """Refuse fewer epochs than are done, and more where the schedule leaves nothing to learn."""
    epochs = experiment.training.epochs
    if epochs < done:
        raise InputError(
            f"expected at least {done}, the epochs that are done, got {epochs}",
            argument="training.epochs",
        )
    if epochs > earlier.training.epochs and plan.schedule.factor(epochs - 1) == 0:
        raise InputError(
            f"expected fewer, got {epochs}: the schedule of the run leaves a learning rate of 0 "
            "in the last of them",
            argument="training.epochs",
        )
