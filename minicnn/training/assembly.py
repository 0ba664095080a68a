"""What a start and a resume have in common: the data, the trainer and its callbacks."""

import time

from minicnn import terminal
from minicnn.data import Dataset, Preprocessing
from minicnn.errors import InputError
from minicnn.losses import SoftmaxCrossEntropy
from minicnn.runs.folder import RunFolder
from minicnn.training import environment
from minicnn.training.averaging import WeightAverage
from minicnn.training.best_model import BestModel
from minicnn.training.callback import Callback
from minicnn.training.checkpoint import Checkpoint, Interval
from minicnn.training.early_stopping import EarlyStopping
from minicnn.training.experiment import Experiment
from minicnn.training.history import HistoryFile
from minicnn.training.layer_records import LayerStatisticsFile, RunningStatisticsFile
from minicnn.training.learning_rate import LearningRate
from minicnn.training.plan import Plan
from minicnn.training.progress import ProgressDisplay
from minicnn.training.trainer import Trainer

CHECKPOINT_VERSION = 4
"""Of the header and the names of the arrays."""


def load_data(experiment: Experiment, plan: Plan, console: "terminal.Console") -> None:
    """Have the plan's data loaded, with a line that says what it is, and its notes."""
    start = time.perf_counter()
    dataset = plan.data
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


def assemble(
    experiment: Experiment, plan: Plan, folder: RunFolder, console: "terminal.Console",
    every: Interval | None, *, last_is_whole: bool = True,
) -> tuple[Trainer, BestModel]:
    """The trainer with all that belongs to it, and the callback that knows the best epoch."""
    model, optimizer, dataset = plan.model, plan.optimizer, plan.data
    preprocessing = Preprocessing.fit(dataset.train.images)
    model.metadata = {
        "experiment": experiment.name,
        "classes": list(dataset.classes),
        "preprocessing": preprocessing.as_dict(),
        "views": plan.views.as_dict(),
        "data": dataset.name,
    }
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
        LearningRate(plan.schedule, optimizer.lr),
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
        augmentation=plan.augmentation,
        callbacks=[*callbacks, checkpoint],
        seed=experiment.seed,
        accuracy_goal=experiment.training.stop_at_train_accuracy,
    )
    return trainer, best


def fingerprints(dataset: Dataset) -> dict[str, str]:
    """The fingerprint of each split, by name."""
    return {name: split.fingerprint() for name, split in dataset.splits()}
