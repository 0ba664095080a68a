"""A network as a table: what each layer gives out, learns, computes and remembers."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from minicnn import terminal
from minicnn.layers.base import Layer
from minicnn.layers.shapes import Shape
from minicnn.terminal import Column


@dataclass(frozen=True)
class LayerSummary:
    """One row of a `Summary`, for one input.

    Attributes
    ----------
    name, kind : str
        For example ``"conv2d_1"`` and ``"Conv2D"``.
    output_shape : tuple of int
        Without the batch axis.
    parameters : int
        Numbers that are learnt.
    multiply_adds : int
        Multiplications, each with its addition, of one forward.
    activation_bytes : int
        Memory of the output.
    """

    name: str
    kind: str
    output_shape: Shape
    parameters: int
    multiply_adds: int
    activation_bytes: int


@dataclass(frozen=True)
class Summary:
    """The rows of all layers; `totals` sums them, `table` and `str` show them."""

    input_shape: Shape
    rows: tuple[LayerSummary, ...]

    @property
    def totals(self) -> dict[str, int]:
        """``parameters``, ``multiply_adds`` and ``activation_bytes`` of all layers together."""
        return {
            key: sum(getattr(row, key) for row in self.rows)
            for key in ("parameters", "multiply_adds", "activation_bytes")
        }

    def table(self) -> terminal.FittingTable:
        """As a table for the terminal."""
        figures = (
            ("parameters", "parameters", "{:,}".format),
            ("multiply-adds", "multiply_adds", "{:,}".format),
            ("activations", "activation_bytes", human_bytes),
        )
        totals = self.totals
        columns = [Column("layer", footer="total", no_wrap=True),
                   Column("output shape", no_wrap=True)]
        columns += [Column(heading, right=True, footer=form(totals[key]), no_wrap=True)
                    for heading, key, form in figures]
        rows = (
            (row.name, str(row.output_shape),
             *(form(getattr(row, key)) for _, key, form in figures))
            for row in self.rows
        )
        title = f"input {self.input_shape}; multiply-adds and memory for one image"
        return terminal.table(columns, rows, title=title, centred=True)

    _repr_pretty_ = terminal.as_printed

    def __str__(self) -> str:
        return terminal.plain(self.table())


def summarize(layers: Iterable[Layer], input_shape: Shape, dtype: np.dtype) -> Summary:
    """The summary of layers that feed each other, the first one inputs of `input_shape`."""
    rows, shape = [], input_shape
    for layer in layers:
        output = layer.output_shape(shape)
        rows.append(LayerSummary(
            name=layer.name,
            kind=type(layer).__name__,
            output_shape=output,
            parameters=sum(spec.size for spec in layer.declared_arrays(shape) if spec.learnt),
            multiply_adds=layer.multiply_adds(shape),
            activation_bytes=math.prod(output) * dtype.itemsize,
        ))
        shape = output
    return Summary(input_shape, tuple(rows))


def human_bytes(count: int) -> str:
    """`count` bytes in the unit that suits: ``"576.0 KiB"``."""
    size, units = float(count), ["B", "KiB", "MiB", "GiB"]
    while size >= 1024 and len(units) > 1:
        size /= 1024
        units.pop(0)
    return f"{size:.0f} B" if units[0] == "B" else f"{size:.1f} {units[0]}"
