"""A training run: an experiment, a folder, and everything from the data to the best model."""

import json
import os
import time
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from rich.console import Console

from minicnn.compile_ahead import compile_ahead
from minicnn.data import Dataset, Preprocessing, Views, stands_in
from minicnn.errors import InputError
from minicnn.files.nesting import dotted
from minicnn.files.reading import require_folder
from minicnn.files.writing import atomic_write_text, remove_parts
from minicnn.inference.evaluation import Evaluation, evaluate
from minicnn.losses import SoftmaxCrossEntropy
from minicnn.runs.folder import RunFolder
from minicnn.sequential import Sequential, load
from minicnn.training import environment
from minicnn.training.anomalies import detect_anomaly
from minicnn.training.averaging import WeightAverage
from minicnn.training.best_model import BestModel
from minicnn.training.callback import Callback
from minicnn.training.checkpoint import Checkpoint, Interval
from minicnn.training.early_stopping import EarlyStopping
from minicnn.training.experiment import Experiment, read_experiment
from minicnn.training.history import HistoryFile
from minicnn.training.layer_records import LayerStatisticsFile, RunningStatisticsFile
from minicnn.training.learning_rate import LearningRate
from minicnn.training.progress import ProgressDisplay
from minicnn.training.trainer import Trainer

CHECKPOINT_VERSION = 4


@dataclass
class Run:
    """A run that is ready to train, from the start or from a checkpoint.

    Parameters
    ----------
    experiment : Experiment
    folder : RunFolder
    dataset : Dataset
    trainer : Trainer
        With the callbacks that keep the folder's files.
    best : BestModel
        The callback that knows the best epoch.
    lock : filelock.FileLock
        Of the folder; given up at the end of a ``with`` block, or with the process.
    """

    experiment: Experiment
    folder: RunFolder
    dataset: Dataset
    trainer: Trainer
    best: BestModel
    lock: FileLock

    def __enter__(self) -> "Run":
        return self

    def __exit__(self, *exception: object) -> None:
        self.lock.release()

    def train(self, *, every_layer: bool = False) -> bool:
        """Train to the end; False where a signal ended it early, with a checkpoint saved.

        With `every_layer` under `detect_anomaly`.
        """
        if len(self.trainer.history) < self.experiment.training.epochs:
            self.folder.remove_results()
        if not self.best.epoch:  # a kill may have left a model whose checkpoint was not written
            self.folder.model.unlink(missing_ok=True)
        training, validation = self.dataset.train, self.dataset.validation
        watch = detect_anomaly(self.trainer) if every_layer else nullcontext()
        with compile_ahead(self.trainer.model), watch:
            self.trainer.fit(
                (training.images, training.labels),
                (validation.images, validation.labels) if len(validation) else None,
                epochs=self.experiment.training.epochs,
                batch_size=self.experiment.training.batch_size,
            )
        return not self.trainer.interrupted

    def finish(self) -> tuple[Sequential, Evaluation]:
        """Measure the best model on the test split, and write ``results.json``.

        Where the data has no test split, its validation split is measured instead.
        """
        model = load(self.folder.model)
        preprocessing = Preprocessing.of_model(model.metadata, str(self.folder.model))
        views = Views.of_model(model.metadata, str(self.folder.model))
        evaluations = {
            name: evaluate(
                model, split.images, split.labels, preprocessing=preprocessing, views=views
            )
            for name, split in self.dataset.splits() if name != "train" and len(split)
        }
        measured_on = "test" if "test" in evaluations else "validation"
        evaluation = evaluations[measured_on]
        trainer = self.trainer
        self.folder.write_results({
            "test": evaluation.as_dict(self.dataset.classes),
            "measured_on": measured_on,
            "splits": {
                name: self._figures(name, found) for name, found in evaluations.items()
            },
            "best_epoch": self.best.epoch,
            "stopped": trainer.stop_reason or "all epochs done",
            "seconds": sum(epoch.seconds for epoch in trainer.history),
            "parameters": model.summarize().totals["parameters"],
            "data": {"name": self.dataset.name, **fingerprints(self.dataset)},
        })
        return model, evaluation

    def _figures(self, name: str, evaluation: Evaluation) -> dict[str, Any]:
        """The figures of a split, and of its images that do not stand in training too."""
        unseen = ~stands_in(getattr(self.dataset, name).images, self.dataset.train.images)
        figures = evaluation.as_dict(self.dataset.classes)
        return {
            **{key: figures[key] for key in ("images", "loss", "accuracy")},
            "unseen": evaluation.summary_of(unseen),
        }


def start_run(
    experiment: Experiment, out: str | os.PathLike | None, console: Console,
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
        raise InputError("--out: expected the folder of the run, got an empty path")
    folder = RunFolder(out)
    folder.require_unused()
    if experiment.data.path:
        experiment = experiment.changed(data={"path": str(Path(experiment.data.path).resolve())})
    experiment = experiment.completed()
    dataset = _load(experiment, console)
    wiring = _prepare(experiment, folder, dataset, console, checkpoint_every or Interval())
    require_folder(out, "the folder of the run")
    lock = folder.lock()
    try:
        folder.require_unused()  # somebody may have begun meanwhile
        atomic_write_text(folder.experiment, experiment.to_toml())
    except BaseException:
        lock.release()
        raise
    return Run(experiment, folder, dataset, *wiring, lock)


def resume_run(
    out: str | os.PathLike, changes: dict[str, Any], console: Console,
    checkpoint_every: Interval | None = None, *, keep_threads: bool = False,
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
        return _resume(folder, changes, console, checkpoint_every or Interval(), keep_threads, lock)
    except BaseException:
        lock.release()
        raise


def _resume(
    folder: RunFolder, changes: dict[str, Any], console: Console, every: Interval,
    keep_threads: bool, lock: FileLock,
) -> Run:
    for place in (folder.path, folder.pictures):
        remove_parts(place)
    earlier = read_experiment(folder.experiment)
    experiment = _with_changes(earlier, changes)
    if not folder.is_begun:
        console.print("no checkpoint yet: the run begins again", highlight=False)
        dataset = _load(experiment, console)
        wiring = _prepare(experiment, folder, dataset, console, every)
        atomic_write_text(folder.experiment, experiment.to_toml())
        return Run(experiment, folder, dataset, *wiring, lock)
    header, tensors, path = folder.read_checkpoint()
    if path != folder.last:
        console.print(f"{folder.last.name} is damaged or missing: going on from {path.name}",
                      highlight=False, soft_wrap=True, markup=False)
    if header.get("version") != CHECKPOINT_VERSION:
        raise InputError(
            f"{path}: expected checkpoint format {CHECKPOINT_VERSION}, "
            f"got {header.get('version')!r}"
        )
    _require_same_settings(folder, earlier, header.get("experiment"))
    dataset = _load(experiment, console)
    saved = header.get("data")
    for split, fingerprint in fingerprints(dataset).items():
        if not isinstance(saved, dict) or saved.get(split) != fingerprint:
            raise InputError(
                f"{folder.path}: the run was started on other data: its {split} split differs "
                f"from that of {dataset.name}"
            )
    for note in environment.go_on_with(header.get("circumstances"), keep_threads):
        console.print(note, highlight=False, soft_wrap=True, markup=False)
    trainer, best = _prepare(
        experiment, folder, dataset, console, every, last_is_whole=path == folder.last
    )
    _require_sane(path, tensors)
    try:
        trainer.load_state_dict(header["trainer"], tensors)
    except KeyError as error:
        raise InputError(f"{path}: the checkpoint lacks {error}") from error
    except (AttributeError, TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{path}: does not fit {folder.experiment}: {error}") from error
    done = len(trainer.history)
    if experiment.training.epochs < done:
        raise InputError(
            f"--epochs: expected at least {done}, the epochs that are done, "
            f"got {experiment.training.epochs}"
        )
    _refuse_idle_epochs(earlier, experiment)
    atomic_write_text(folder.experiment, experiment.to_toml())
    return Run(experiment, folder, dataset, trainer, best, lock)


def _require_sane(path: Path, tensors: dict[str, np.ndarray]) -> None:
    """Refuse numbers that no training leaves: not finite, or variances below 0."""
    for name, array in tensors.items():
        if not np.isfinite(array).all():
            raise InputError(f"{path}: {name}: expected finite numbers, got NaN or infinity")
        if name.endswith("running_var") and (array < 0).any():
            raise InputError(f"{path}: {name}: expected variances of at least 0, got less")


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


def fingerprints(dataset: Dataset) -> dict[str, str]:
    """The fingerprint of each split, by name."""
    return {name: split.fingerprint() for name, split in dataset.splits()}


def _refuse_idle_epochs(earlier: Experiment, experiment: Experiment) -> None:
    """Refuse more epochs where the schedule leaves nothing for them to learn with."""
    epochs, before = experiment.training.epochs, earlier.training.epochs
    if epochs > before and experiment.build_schedule().factor(epochs - 1) == 0:
        raise InputError(
            f"--epochs: expected fewer, got {epochs}: the schedule of the run leaves a learning "
            "rate of 0 in the last of them"
        )


def _load(experiment: Experiment, console: Console) -> Dataset:
    """The data, with a line that says what it is, and its notes."""
    start = time.perf_counter()
    dataset = experiment.load_data()
    if not len(dataset.train):
        raise InputError(
            f"{experiment.data.path}: expected training images (Usage Training, or train/), "
            "got none"
        )
    sizes = ", ".join(f"{len(split):,} {name}" for name, split in dataset.splits())
    console.print(
        f"data: {dataset.name}: {sizes} images ({time.perf_counter() - start:.1f} s)",
        highlight=False, soft_wrap=True, markup=False,
    )
    for note in dataset.notes:
        console.print(f"  {note}", highlight=False, soft_wrap=True, markup=False)
    return dataset


def _prepare(
    experiment: Experiment, folder: RunFolder, dataset: Dataset, console: Console, every: Interval,
    *, last_is_whole: bool = True,
) -> tuple[Trainer, BestModel]:
    """The trainer with all that belongs to it, and the callback that knows the best epoch."""
    model = experiment.build_model()
    preprocessing = Preprocessing.fit(dataset.train.images)
    model.metadata = {
        "experiment": experiment.name,
        "classes": list(dataset.classes),
        "preprocessing": preprocessing.as_dict(),
        "views": experiment.build_views().as_dict(),
        "data": dataset.name,
    }
    optimizer = experiment.build_optimizer(model.parameters())
    best = BestModel(model, folder.model)
    header = {
        "version": CHECKPOINT_VERSION,
        "data": fingerprints(dataset),
        "experiment": experiment.model_dump(mode="json"),
        "circumstances": environment.now(),
    }
    checkpoint = Checkpoint(
        folder.last, header, previous=folder.previous, every=every, last_is_whole=last_is_whole
    )
    callbacks: list[Callback] = [
        LearningRate(experiment.build_schedule(), optimizer.lr),
        best,
        *([WeightAverage(model, decay)] if (decay := experiment.training.weight_average) else []),
        HistoryFile(folder.history),
        RunningStatisticsFile(folder.batchnorm),
        LayerStatisticsFile(folder.layers),
        ProgressDisplay(console),
    ]
    if experiment.training.early_stopping:
        callbacks.append(EarlyStopping(experiment.training.early_stopping))
    trainer = Trainer(
        model,
        SoftmaxCrossEntropy(
            class_weights=experiment.class_weights(dataset.train.labels),
            label_smoothing=experiment.training.label_smoothing,
        ),
        optimizer,
        preprocessing=preprocessing,
        augmentation=experiment.build_augmentation(),
        callbacks=[*callbacks, checkpoint],
        seed=experiment.seed,
        accuracy_goal=experiment.training.stop_at_train_accuracy,
    )
    return trainer, best


def _with_changes(experiment: Experiment, changes: dict[str, Any]) -> Experiment:
    """The experiment with other epochs or data elsewhere, if nothing else differs.

    Whether the data elsewhere is the same is for its fingerprint to say.
    """
    for key, value in changes.items():
        own: Any = experiment.model_dump()
        for part in key.split("."):
            own = own.get(part)
        elsewhere = key == "data.path" and experiment.data.source == "fer2013"
        if elsewhere or key == "training.epochs":
            experiment = experiment.with_options({key: value})
        elif value != own:
            raise InputError(
                f"--resume: the run has {key} = {json.dumps(own)}, got {json.dumps(value)}; only "
                "--epochs may change, and --data where the images of FER2013 are now"
            )
    return experiment
