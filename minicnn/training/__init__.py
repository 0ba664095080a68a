"""The training loop, what may happen beside it, and experiments that describe whole runs."""

from minicnn.training.anomalies import detect_anomaly
from minicnn.training.averaging import WeightAverage
from minicnn.training.callbacks import (
    BestModel,
    Callback,
    Checkpoint,
    EarlyStopping,
    HistoryFile,
    Interval,
    LearningRate,
    StopOnNonFinite,
)
from minicnn.training.experiment import Experiment, experiment_names, read_experiment
from minicnn.training.history import Epoch
from minicnn.training.layer_records import LayerStatisticsFile, RunningStatisticsFile
from minicnn.training.progress import ProgressDisplay
from minicnn.training.run import Run, resume_run, start_run
from minicnn.training.trainer import Trainer

__all__ = [
    "BestModel",
    "Callback",
    "Checkpoint",
    "EarlyStopping",
    "Epoch",
    "Experiment",
    "HistoryFile",
    "Interval",
    "LayerStatisticsFile",
    "LearningRate",
    "ProgressDisplay",
    "Run",
    "RunningStatisticsFile",
    "StopOnNonFinite",
    "Trainer",
    "WeightAverage",
    "detect_anomaly",
    "experiment_names",
    "read_experiment",
    "resume_run",
    "start_run",
]
