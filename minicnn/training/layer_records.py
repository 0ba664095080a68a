"""What the layers go through in training, kept as tables in the run's folder."""

import math
import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any

import numpy as np
import pandas as pd

from minicnn import ops
from minicnn.files.paths import as_path
from minicnn.files.writing import atomic_write_text
from minicnn.layers import BatchNorm, Layer
from minicnn.runs.tables import LAYERS, RUNNING_STATISTICS
from minicnn.sequential import Sequential
from minicnn.training.callback import Callback, Training
from minicnn.training.epoch import Epoch
from minicnn.training.hooks import hooked


class TableFile(Callback):
    """Base of callbacks that gather rows and keep them as CSV, written anew with each addition.

    Parameters
    ----------
    path : path
    columns : tuple of str
        Keys of each row.
    """

    def __init__(self, path: str | os.PathLike, columns: tuple[str, ...]) -> None:
        self.path = as_path(path)
        self.columns = columns
        self.rows: list[dict[str, Any]] = []

    def on_fit_start(self, trainer: Training) -> None:
        """Write the rows that there are: none, or a resumed run's."""
        self.write()

    def state_dict(self) -> dict[str, Any]:
        """All rows so far."""
        return {"rows": list(self.rows)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state_dict`; a ValueError where a row is none of this table."""
        rows = [dict(row) for row in state["rows"]]
        if any(row.keys() != set(self.columns) for row in rows):
            raise ValueError(f"expected rows of {', '.join(self.columns)}")
        for row in rows:
            for column, value in row.items():
                right = (isinstance(value, str) and value.isprintable() if column == "layer"
                         else value is None or isinstance(value, int | float))
                if not right:
                    raise ValueError(f"expected another {column}, got {value!r}")
        self.rows = rows

    def write(self) -> None:
        """Write all rows, atomically."""
        table = pd.DataFrame(self.rows, columns=list(self.columns))
        atomic_write_text(self.path, table.to_csv(index=False, lineterminator="\n"))


class RunningStatisticsFile(TableFile):
    """Keep ``batchnorm.csv``: where each batch norm's running statistics stand, by epoch.

    Parameters
    ----------
    path : path
    """

    def __init__(self, path: str | os.PathLike) -> None:
        super().__init__(path, RUNNING_STATISTICS)

    def on_fit_start(self, trainer: Training) -> None:
        """Note the start as epoch 0, unless a resumed run has done so, and write all rows."""
        if not self.rows:
            self._note(trainer.model, 0)
        self.write()

    def on_epoch_end(self, trainer: Training, epoch: Epoch) -> None:
        """Note the end of the epoch."""
        self._note(trainer.model, epoch.epoch)
        self.write()

    def _note(self, model: Sequential, epoch: int) -> None:
        for layer in model.layers:
            if isinstance(layer, BatchNorm):
                row: dict[str, Any] = {"epoch": epoch, "layer": layer.name}
                for key, values in (("mean", layer.running_mean), ("variance", layer.running_var)):
                    row |= {key: float(values.mean()), f"{key}_least": float(values.min()),
                            f"{key}_greatest": float(values.max())}
                self.rows.append(row)


class LayerStatisticsFile(TableFile):
    """Keep ``layers.csv``: activations and gradients of each layer at steps 1, 2, 4, 8, …

    A row a step and layer: mean and standard deviation of all numbers that its forward gives, the
    share of them that are 0, the norm of the dy that its backward is given, and the norms of its
    parameters' gradients and of its parameters, each taken together; NaN where it has none, or
    where a figure is not finite. Norms are roots of sums of squares.

    Parameters
    ----------
    path : path
    """

    def __init__(self, path: str | os.PathLike) -> None:
        super().__init__(path, LAYERS)
        self._watching = ExitStack()
        self._seen: dict[str, dict[str, float]] = {}

    def on_step_start(self, trainer: Training) -> None:
        """Watch the layers, if the step's number is a power of two."""
        step, self._seen = trainer.steps + 1, {}
        if step & (step - 1) == 0:
            self._watching.enter_context(hooked(trainer.model, self._hooks))

    def on_gradients(self, trainer: Training) -> None:
        """Note what was seen, and the norms of gradients and parameters."""
        if not self._seen:
            return
        self.close()
        for layer in trainer.model.layers:
            parameters = layer.parameters()
            figures = {
                **self._seen[layer.name],
                "gradient_norm": _norm([parameter.grad for parameter in parameters]),
                "weight_norm": _norm([parameter.data for parameter in parameters]),
            }
            self.rows.append({
                "step": trainer.steps + 1, "epoch": trainer.epoch, "layer": layer.name,
                **{key: value if math.isfinite(value) else None for key, value in figures.items()},
            })
        self.write()

    def close(self) -> None:
        """Leave the layers as they were."""
        self._watching.close()

    def _hooks(self, layer: Layer) -> dict[str, Callable[..., Any]]:
        """Hooks of the layer, each with a note of what goes through it."""
        forward, seen = layer.forward, self._seen.setdefault(layer.name, {})

        def observed_forward(x: Any, training: bool = False) -> np.ndarray:
            y = forward(x, training=training)
            values = np.asarray(y)
            mean = values.mean(dtype=np.float64)
            centred = np.subtract(values, mean, dtype=np.float64)
            standard_deviation = np.sqrt(np.square(centred, out=centred).mean())
            seen.update(output_mean=float(mean), output_deviation=float(standard_deviation),
                        output_zeros=float((values == 0).mean()))
            return y

        def observed(backward: Callable[[Any], Any]) -> Callable[[Any], Any]:
            def observed_backward(dy: Any) -> Any:
                seen["upstream_norm"] = ops.global_norm([dy])
                return backward(dy)

            return observed_backward

        return {
            "forward": observed_forward,
            "backward": observed(layer.backward),
            "backward_first": observed(layer.backward_first),
        }


def _norm(arrays: list[Any]) -> float:
    """The norm of all arrays together; NaN where there are none."""
    return ops.global_norm(arrays) if arrays else math.nan
