"""What each pass should take: its floor, and a prediction from shapes and plans alone.

Pure functions: nothing is launched. A prediction is written down before its measurement.
"""

import math
from dataclasses import dataclass

import numpy as np

from minicnn.benchmarking.work import BACKWARD, DATA, FORWARD, WEIGHTS, work
from minicnn.layers import BatchNorm, Conv2D, Dense, Flatten, Layer, MaxPool2D, ReLU
from minicnn.ops.cuda import implicit_plan
from minicnn.ops.cuda.conv2d import fastest
from minicnn.ops.cuda.gemm_plan import RATES, plan
from minicnn.ops.cuda.winograd import FREQUENCIES, tiles_of
from minicnn.ops.window import Window
from minicnn.sequential import Sequential

FLOAT = np.dtype(np.float32)

LANES = 128
"""Multiply-adds in a cycle of a multiprocessor at its peak, that `RATES` are a part of."""

PASSES = {
    (BatchNorm, FORWARD): 3, (BatchNorm, BACKWARD): 5, (ReLU, FORWARD): 2, (ReLU, BACKWARD): 3,
    (MaxPool2D, FORWARD): 1 + 1 / 4 + 1 / 16, (MaxPool2D, BACKWARD): 1 + 1 / 4 + 1 / 16,
}
"""How often as many bytes as x has are read or written; of pooling 2×2 with its places."""

LAUNCHES = {
    (BatchNorm, FORWARD): 3, (BatchNorm, BACKWARD): 3, (Conv2D, FORWARD): 4, (Conv2D, DATA): 4,
    (Conv2D, WEIGHTS): 6, (Conv2D, BACKWARD): 10, (Dense, WEIGHTS): 3, (Dense, BACKWARD): 4,
}
"""Of a pass; 1 where nothing is said."""

ADAM_PASSES = 7
"""Reads w, g, m and s, writes w, m and s."""

NAIVE_SHARE = 0.03
"""Of the peak, what one thread a result should reach."""


@dataclass(frozen=True)
class Chip:
    """What a GPU reaches at best.

    Attributes
    ----------
    name : str
    tflops : float
        float32, from registers.
    terabytes : float
        Read and written, a second.
    multiprocessors : int
    launch : float
        Milliseconds between two short kernels.
    """

    name: str
    tflops: float
    terabytes: float
    multiprocessors: int
    launch: float = 0.003


H200 = Chip("H200, from its data sheet", 67.0, 4.3, 132)
"""Where nothing was measured."""


@dataclass(frozen=True)
class Prediction:
    """Milliseconds of a pass.

    Attributes
    ----------
    floor : float
        The definition's arithmetic at the peak, or its bytes at the best copy: the slower.
    expected : float
    how : str
        The algorithm.
    """

    floor: float
    expected: float
    how: str


def predict(layer: Layer, batch: int, stage: str, chip: Chip = H200) -> Prediction:
    """A pass of a built layer, in float32.

    Parameters
    ----------
    layer : Layer
    batch : int
    stage : {"forward", "backward", "backward data", "backward weights"}
    chip : Chip
    """
    taken = work(layer, batch, stage)
    floor = max(arithmetic(taken.gflop * 1e9, chip), moving(taken.gigabytes * 1e9, chip))
    how, expected = _expected(layer, batch, stage, chip)
    if not isinstance(layer, Flatten):
        expected += LAUNCHES.get((type(layer), stage), 1) * chip.launch
    return Prediction(floor, expected, how)


def predict_step(network: Sequential, batch: int, chip: Chip = H200) -> float:
    """Milliseconds of forward, backward and Adam; the loss and the host count as nothing."""
    total = 0.0
    for place, layer in enumerate(network.layers):
        total += predict(layer, batch, FORWARD, chip).expected
        first_of_all = place == 0 and isinstance(layer, Conv2D)
        stage = WEIGHTS if first_of_all else BACKWARD  # nobody needs the gradient of the images
        total += predict(layer, batch, stage, chip).expected
    parameters = sum(parameter.data.size for parameter in network.parameters())
    return total + moving(ADAM_PASSES * FLOAT.itemsize * parameters, chip)


def arithmetic(operations: float, chip: Chip) -> float:
    """Milliseconds at the peak."""
    return operations / chip.tflops / 1e9


def moving(nbytes: float, chip: Chip) -> float:
    """Milliseconds at the best copy."""
    return nbytes / chip.terabytes / 1e9


def product(batch: int, rows: int, columns: int, depth: int, chip: Chip, *, split: bool) -> float:
    """Milliseconds of so many matrix products by their plan."""
    how = plan(batch, rows, columns, depth, FLOAT, chip.multiprocessors, split=split)
    reached = how.efficiency(batch, rows, columns, depth, chip.multiprocessors)
    share = RATES[how.tile.results] / LANES * reached
    parts = 2 * how.splits * batch * rows * columns * FLOAT.itemsize if how.splits > 1 else 0
    return arithmetic(2.0 * batch * rows * columns * depth, chip) / share + moving(parts, chip)


def _expected(layer: Layer, batch: int, stage: str, chip: Chip) -> tuple[str, float]:
    """How a pass is computed, and its milliseconds."""
    assert layer.input_shape is not None
    if stage == BACKWARD and isinstance(layer, Conv2D | Dense):
        how, data = _expected(layer, batch, DATA, chip)
        return how, data + _expected(layer, batch, WEIGHTS, chip)[1]
    if isinstance(layer, Conv2D):
        return _convolution(layer, batch, stage, chip)
    x = batch * math.prod(layer.input_shape) * FLOAT.itemsize
    if isinstance(layer, Dense):
        return "matrix product", _dense(layer, batch, stage, chip)
    if isinstance(layer, Flatten):
        return "nothing", 0.0
    default = work(layer, batch, stage).gigabytes * 1e9
    passes = PASSES.get((type(layer), stage))
    return "passes over memory", moving(default if passes is None else passes * x, chip)


def _dense(layer: Dense, batch: int, stage: str, chip: Chip) -> float:
    assert layer.input_shape is not None
    (features,), units = layer.input_shape, layer.units
    if stage == FORWARD:
        return product(1, batch, units, features, chip, split=True)
    if stage == DATA:
        return product(1, batch, features, units, chip, split=True)
    return product(1, features, units, batch, chip, split=True)


def _convolution(layer: Conv2D, batch: int, stage: str, chip: Chip) -> tuple[str, float]:
    assert layer.input_shape is not None
    height, width, channels = layer.input_shape
    outputs = batch, *layer.output_shape(layer.input_shape)
    window = window_of(layer)
    w_shape = *layer.kernel_size, channels, layer.filters
    how = fastest((batch, height, width, channels), w_shape, window)
    taken = work(layer, batch, stage)
    bias = moving(math.prod(outputs) * FLOAT.itemsize, chip) if stage == WEIGHTS else 0.0
    if how == "winograd":
        return how, bias + _winograd(outputs, channels, stage, chip, taken.gigabytes * 1e9)
    if how == "direct":
        bound = moving(taken.gigabytes * 1e9, chip), 2 * arithmetic(taken.gflop * 1e9, chip)
        return how, bias + max(bound)
    if how == "implicit":
        return how, bias + _implicit(outputs, layer, channels, stage, chip)
    return how, bias + arithmetic(taken.gflop * 1e9, chip) / NAIVE_SHARE


def _implicit(
    outputs: tuple[int, ...], layer: Conv2D, channels: int, stage: str, chip: Chip
) -> float:
    """One matrix product of windows and filters by its plan, and the sum of its pieces."""
    pixels, taps, filters = math.prod(outputs[:3]), math.prod(layer.kernel_size), outputs[3]
    rows, columns, depth = {
        FORWARD: (pixels, filters, taps * channels), DATA: (pixels, channels, taps * filters),
        WEIGHTS: (taps * channels, filters, pixels),
    }[stage]
    how = implicit_plan.plan(rows, columns, depth, FLOAT.itemsize, chip.multiprocessors)
    share = how.chip.rate / LANES * how.efficiency(rows, columns, chip.multiprocessors)
    cut = rows - how.whole * how.chip.tile.block_rows if how.pieces > 1 else 0
    parts = 2 * how.pieces * cut * columns * FLOAT.itemsize  # written, and read by the sum
    return arithmetic(2.0 * rows * columns * depth, chip) / share + moving(parts, chip)


def _winograd(
    outputs: tuple[int, ...], channels: int, stage: str, chip: Chip, nbytes: float
) -> float:
    """V and M are written and read, and multiplied at each frequency."""
    tiles, filters = tiles_of(outputs), outputs[3]
    count = tiles.images * tiles.down * tiles.across
    between = 2 * FREQUENCIES * count * (channels + filters) * FLOAT.itemsize
    sizes = {FORWARD: (count, filters, channels), DATA: (count, channels, filters),
             WEIGHTS: (channels, filters, count)}[stage]
    multiplying = product(FREQUENCIES, *sizes, chip, split=stage == WEIGHTS)
    return moving(nbytes + between, chip) + multiplying


def window_of(layer: Conv2D) -> Window:
    """The window of a convolution of odd filters that keeps the image's size at stride 1."""
    if layer.padding != "same" or layer.stride != (1, 1):
        raise ValueError(f"expected padding 'same' at stride 1, as in the paper's network: {layer}")
    sides = [((size - 1) // 2, size // 2) for size in layer.kernel_size]
    return Window(layer.kernel_size, layer.stride, (sides[0], sides[1]))
