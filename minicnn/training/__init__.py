"""The training loop, what may happen beside it, and experiments that describe whole runs."""

from minicnn.training.anomalies import StopOnNonFinite, detect_anomaly
from minicnn.training.averaging import WeightAverage
from minicnn.training.best_model import BestModel
from minicnn.training.callback import Callback, Phase, Training
from minicnn.training.checkpoint import Checkpoint, Interval
from minicnn.training.early_stopping import EarlyStopping
from minicnn.training.epoch import Epoch
from minicnn.training.experiment import Experiment, experiment_names, read_experiment
from minicnn.training.history import HistoryFile
from minicnn.training.layer_records import LayerStatisticsFile, RunningStatisticsFile
from minicnn.training.learning_rate import LearningRate
from minicnn.training.progress import ProgressDisplay
from minicnn.training.resuming import resume_run
from minicnn.training.run import Run
from minicnn.training.starting import start_run
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
    "Phase",
    "ProgressDisplay",
    "Run",
    "RunningStatisticsFile",
    "StopOnNonFinite",
    "Trainer",
    "Training",
    "WeightAverage",
    "detect_anomaly",
    "experiment_names",
    "read_experiment",
    "resume_run",
    "start_run",
]
