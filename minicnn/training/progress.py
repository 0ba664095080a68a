"""Showing how training goes: a bar in a terminal, plain lines elsewhere."""

import time

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from minicnn.training.callback import Callback, Training
from minicnn.training.epoch import Epoch

LINE_SECONDS = 15.0
"""Without a terminal, a line this often inside an epoch."""


class ProgressDisplay(Callback):
    """Images a second, loss, accuracy and time left, while training runs.

    In a terminal a bar that moves with every step; elsewhere a line every `LINE_SECONDS`. Either
    way a line stays for each finished epoch.

    Parameters
    ----------
    console : rich.console.Console, optional
        Where to show it: standard output, or the notebook, by default.
    """

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console()
        self._bar: Progress | None = None
        self._task = TaskID(0)
        self._last_line = 0.0

    def on_fit_start(self, trainer: Training) -> None:
        """Start the bar."""
        self._last_line = time.monotonic()
        if self.console.is_terminal:
            self._bar = Progress(
                TextColumn("{task.description}"), BarColumn(bar_width=None),
                TextColumn("{task.fields[figures]}"), TimeRemainingColumn(compact=True),
                console=self.console, transient=True,
            )
            self._task = self._bar.add_task(
                "", total=trainer.epochs * trainer.batches, figures="first step …",
                completed=trainer.steps,
            )
            self._bar.start()

    def on_step_end(self, trainer: Training) -> None:
        """Move the bar, or print a line if the last one is old."""
        totals = trainer.totals
        figures = (
            f"{totals.images_per_second:,.0f} images/s  loss {totals.mean_loss:.3f}  "
            f"accuracy {totals.accuracy:.1%}"
        )
        if self._bar is not None:
            self._bar.update(
                self._task, figures=figures,
                description=f"epoch {trainer.epoch}/{trainer.epochs}",
                completed=trainer.steps,
            )
        elif totals.warm_images and time.monotonic() - self._last_line > LINE_SECONDS:
            self._last_line = time.monotonic()
            left = trainer.batches * (trainer.epochs - trainer.progress)
            seconds = left * totals.images / trainer.batch / totals.images_per_second
            self.console.print(
                f"epoch {trainer.epoch}/{trainer.epochs}  "
                f"batch {trainer.batch}/{trainer.batches}  {figures}  {seconds:.0f} s left",
                highlight=False,
            )

    def on_validation_start(self, trainer: Training) -> None:
        """Say that the epoch is being measured."""
        if self._bar is not None:
            self._bar.update(self._task, figures="measuring …")

    def on_epoch_end(self, trainer: Training, epoch: Epoch) -> None:
        """Leave a line for the epoch."""
        self._last_line = time.monotonic()
        validated = (
            "" if epoch.validation_loss != epoch.validation_loss
            else f"  validation loss {epoch.validation_loss:.3f} "
                 f"accuracy {epoch.validation_accuracy:.1%}"
        )
        fitted = (
            "" if epoch.fitted_accuracy != epoch.fitted_accuracy
            else f"  at the end {epoch.fitted_accuracy:.1%}"
        )
        self.console.print(
            f"epoch {epoch.epoch}/{trainer.epochs}  train loss {epoch.train_loss:.3f} accuracy "
            f"{epoch.train_accuracy:.1%}{fitted}{validated}  "
            f"{epoch.images_per_second:,.0f} images/s  {epoch.seconds:.1f} s",
            highlight=False, soft_wrap=True,
        )

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
