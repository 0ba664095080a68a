"""A training run: an experiment, a folder, and everything from the data to the best model."""

import json
import os
import time
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from minicnn.compile_ahead import compile_ahead
from minicnn.data import Dataset, Preprocessing
from minicnn.errors import InputError
from minicnn.evaluation import Evaluation, evaluate
from minicnn.files import atomic_write_text, require_folder
from minicnn.losses import SoftmaxCrossEntropy
from minicnn.run_folder import RunFolder
from minicnn.sequential import Sequential, load
from minicnn.tensor_files import read_tensors
from minicnn.training.anomalies import detect_anomaly
from minicnn.training.callbacks import (
    BestModel,
    Callback,
    Checkpoint,
    EarlyStopping,
    HistoryFile,
    LearningRate,
    RunningStatisticsFile,
)
from minicnn.training.experiment import Experiment, read_experiment
from minicnn.training.progress import ProgressDisplay
from minicnn.training.trainer import Trainer

CHECKPOINT_VERSION = 1


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
    """

    experiment: Experiment
    folder: RunFolder
    dataset: Dataset
    trainer: Trainer
    best: BestModel

    def train(self, *, every_layer: bool = False) -> bool:
        """Train to the end; False where Ctrl-C ended it early, with a checkpoint saved.

        With `every_layer` under `detect_anomaly`.
        """
        training, validation = self.dataset.train, self.dataset.validation
        try:
            watch = detect_anomaly(self.trainer) if every_layer else nullcontext()
            with compile_ahead(self.trainer.model), watch:
                self.trainer.fit(
                    (training.images, training.labels),
                    (validation.images, validation.labels) if len(validation) else None,
                    epochs=self.experiment.training.epochs,
                    batch_size=self.experiment.training.batch_size,
                )
        finally:
            for callback in self.trainer.callbacks:
                if isinstance(callback, ProgressDisplay):
                    callback.close()
        return not self.trainer.interrupted

    def finish(self) -> tuple[Sequential, Evaluation]:
        """Measure the best model on the test split, and write ``results.json``.

        Where the data has no test split, its validation split is measured instead.
        """
        model = load(self.folder.model)
        name, split = "test", self.dataset.test
        if not len(split):
            name, split = "validation", self.dataset.validation
        evaluation = evaluate(
            model, split.images, split.labels,
            preprocessing=Preprocessing.of_model(model.metadata, str(self.folder.model)),
        )
        trainer = self.trainer
        self.folder.write_results({
            "test": evaluation.as_dict(self.dataset.classes),
            "measured_on": name,
            "best_epoch": self.best.epoch,
            "stopped": trainer.stop_reason or "all epochs done",
            "seconds": sum(epoch.seconds for epoch in trainer.history),
            "parameters": model.summarize().totals["parameters"],
            "data": {"name": self.dataset.name, **fingerprints(self.dataset)},
        })
        return model, evaluation


def start_run(
    experiment: Experiment, out: str | os.PathLike | None, console: Console
) -> Run:
    """A run from the start, in a new folder.

    Parameters
    ----------
    experiment : Experiment
    out : path or None
        The folder; ``runs/<name>-<date>-<time>`` by default.
    console : rich.console.Console
        Where to show progress.

    Returns
    -------
    Run

    Raises
    ------
    InputError
        Where the folder is in use or cannot be made, or the data cannot be used; nothing is
        written then.
    """
    if out is None:
        out = Path("runs") / f"{experiment.name}-{datetime.now():%Y%m%d-%H%M%S}"
    if not os.fspath(out):
        raise InputError("--out: expected the folder of the run, got an empty path")
    folder = RunFolder(out)
    folder.require_unused()
    if experiment.data.path:
        experiment = experiment.changed(data={"path": str(Path(experiment.data.path).resolve())})
    run = _prepare(experiment.completed(), folder, _load(experiment, console), console)
    require_folder(out, "the folder of the run")
    atomic_write_text(folder.experiment, run.experiment.to_toml())
    return run


def resume_run(out: str | os.PathLike, changes: dict[str, Any], console: Console) -> Run:
    """The run of a folder, ready to go on from its last checkpoint.

    Parameters
    ----------
    out : path
        The folder.
    changes : dict
        Settings that the user gave again, by their dotted key (``"training.epochs"``); only the
        number of epochs, at least those that are done, may differ from the run's own.
    console : rich.console.Console
        Where to show progress.

    Returns
    -------
    Run

    Raises
    ------
    InputError
        Where there is no run, nothing to resume, or the data or a setting is another one.
    """
    folder = RunFolder(out)
    if not folder.experiment.is_file():
        raise InputError(f"{out}: expected the folder of a run, but it has no experiment.toml")
    earlier = read_experiment(folder.experiment)
    experiment = _with_changes(earlier, changes)
    header, tensors = read_tensors(folder.last, "checkpoint")
    if header.get("version") != CHECKPOINT_VERSION:
        raise InputError(
            f"{folder.last}: expected checkpoint format {CHECKPOINT_VERSION}, "
            f"got {header.get('version')!r}"
        )
    dataset = _load(experiment, console)
    for split, fingerprint in fingerprints(dataset).items():
        if header.get("data", {}).get(split) != fingerprint:
            raise InputError(
                f"{out}: the run was started on other data: its {split} split differs from that "
                f"of {dataset.name}"
            )
    run = _prepare(experiment, folder, dataset, console)
    try:
        run.trainer.load_state_dict(header["trainer"], tensors)
    except KeyError as error:
        raise InputError(f"{folder.last}: the checkpoint lacks {error}") from error
    except (AttributeError, TypeError, ValueError) as error:
        raise InputError(f"{folder.last}: does not fit {folder.experiment}: {error}") from error
    done = len(run.trainer.history)
    if experiment.training.epochs < done:
        raise InputError(
            f"--epochs: expected at least {done}, the epochs that are done, "
            f"got {experiment.training.epochs}"
        )
    _refuse_idle_epochs(earlier, experiment)
    atomic_write_text(folder.experiment, experiment.to_toml())
    return run


def fingerprints(dataset: Dataset) -> dict[str, str]:
    """The fingerprint of each split, by name."""
    return {name: split.fingerprint() for name, split in dataset.splits()}


def _refuse_idle_epochs(earlier: Experiment, experiment: Experiment) -> None:
    """Refuse more epochs where the schedule leaves nothing for them to learn with."""
    epochs, before = experiment.training.epochs, earlier.training.epochs
    if epochs > before and experiment.build_schedule().factor(epochs - 1) == 0:
        raise InputError(
            f"--epochs: expected at most {before}, got {epochs}: the schedule of the run leaves a "
            "learning rate of 0 after them"
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
    experiment: Experiment, folder: RunFolder, dataset: Dataset, console: Console
) -> Run:
    """All objects of the run, wired together."""
    model = experiment.build_model()
    preprocessing = Preprocessing.fit(dataset.train.images)
    model.metadata = {
        "experiment": experiment.name,
        "classes": list(dataset.classes),
        "preprocessing": preprocessing.as_dict(),
        "data": dataset.name,
    }
    optimizer = experiment.build_optimizer(model.parameters())
    best = BestModel(folder.model)
    header = {"version": CHECKPOINT_VERSION, "data": fingerprints(dataset)}
    callbacks: list[Callback] = [
        LearningRate(experiment.build_schedule(), optimizer.lr),
        best,
        HistoryFile(folder.history),
        RunningStatisticsFile(folder.batchnorm),
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
        callbacks=[*callbacks, Checkpoint(folder.last, header)],
        seed=experiment.seed,
    )
    return Run(experiment, folder, dataset, trainer, best)


def _with_changes(experiment: Experiment, changes: dict[str, Any]) -> Experiment:
    """The experiment with other epochs or data elsewhere, if nothing else differs.

    Whether the data elsewhere is the same is for its fingerprint to say.
    """
    for key, value in changes.items():
        own: Any = experiment.model_dump()
        for part in key.split("."):
            own = own.get(part)
        if key in ("data.path", "training.epochs"):
            experiment = experiment.with_options({key: value})
        elif value != own:
            raise InputError(
                f"--resume: the run has {key} = {json.dumps(own)}, got {json.dumps(value)}; only "
                "the number of epochs may change"
            )
    return experiment
