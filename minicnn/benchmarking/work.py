"""How much a layer has to compute and to move: the same figures for whoever does it."""

import math
from dataclasses import dataclass

from minicnn.layers import BatchNorm, Dropout, Flatten, Layer, MaxPool2D, ReLU

FORWARD, BACKWARD = "forward", "backward"
DATA, WEIGHTS = "backward data", "backward weights"

_PER_ELEMENT: dict[type[Layer], tuple[int, int]] = {
    BatchNorm: (6, 9), ReLU: (1, 1), MaxPool2D: (1, 1), Dropout: (1, 1),
}
"""Operations for each input of a layer without products, forward and backward.

Batch norm: mean 1, squared deviation 3, scale and shift 2; backward its two sums 4, and dx 5.
"""


@dataclass(frozen=True)
class Work:
    """Of one pass over a batch.

    Attributes
    ----------
    gflop : float
        Additions and multiplications of the definition, in 10⁹. An algorithm that needs fewer, as
        Winograd's, may seem to compute faster than the machine can.
    gigabytes : float
        Each array that the pass reads or writes, once, in 10⁹ bytes.
    """

    gflop: float
    gigabytes: float


def work(layer: Layer, batch: int, stage: str, itemsize: int = 4) -> Work:
    """What a pass of a built layer takes.

    Parameters
    ----------
    layer : Layer
    batch : int
        Inputs.
    stage : {"forward", "backward", "backward data", "backward weights"}
        The last two are halves of the third, for layers with products.
    itemsize : int, default 4
        Bytes of a number.

    Returns
    -------
    Work
    """
    assert layer.input_shape is not None
    x = batch * math.prod(layer.input_shape)
    y = batch * math.prod(layer.output_shape(layer.input_shape))
    parameters = sum(parameter.data.size for parameter in layer.parameters())
    products = 2.0 * batch * layer.multiply_adds(layer.input_shape)
    if products:
        passes = {FORWARD: 1, DATA: 1, WEIGHTS: 1, BACKWARD: 2}[stage]
        moved = {FORWARD: x + y, DATA: x + y, WEIGHTS: x + y, BACKWARD: 2 * x + y}[stage]
        moved += parameters * (2 if stage == BACKWARD else 1)
        return Work(products * passes / 1e9, moved * itemsize / 1e9)
    if isinstance(layer, Flatten):
        return Work(0.0, 0.0)  # the same numbers in the same order
    forward, backward = _PER_ELEMENT.get(type(layer), (1, 1))
    kept = x if isinstance(layer, (BatchNorm, ReLU)) else 0  # what backward reads besides dy
    if stage == FORWARD:
        return Work(x * forward / 1e9, (x + y) * itemsize / 1e9)
    return Work(x * backward / 1e9, (x + y + kept) * itemsize / 1e9)
