"""A training run that is ready: train, and measure the best model at the end."""

from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from filelock import FileLock

from minicnn.compile_ahead import compile_ahead
from minicnn.data import Dataset, Preprocessing, Views, stands_in
from minicnn.inference.evaluation import Evaluation, evaluate
from minicnn.runs.folder import RunFolder
from minicnn.sequential import Sequential, load
from minicnn.training.anomalies import detect_anomaly
from minicnn.training.assembly import fingerprints
from minicnn.training.best_model import BestModel
from minicnn.training.experiment import Experiment
from minicnn.training.trainer import Trainer


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
            "data": {
                "name": self.dataset.name, **fingerprints(self.dataset),
                "notes": list(self.dataset.notes),
            },
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
