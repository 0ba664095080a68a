"""How large a stack of layers may be that a file describes.

Sizes are reckoned before anything is made, so that a few bytes cannot ask for terabytes.
"""

import math
from collections.abc import Iterable

from minicnn.errors import InputError
from minicnn.layers.base import Layer
from minicnn.layers.shapes import Shape

MOST_NUMBERS = 2**28
"""Parameters of a network that a file describes, and numbers between two of its layers: twice the
parameters of the largest VGG network."""

MOST_MULTIPLY_ADDS = 2**36
"""Of one input of such a network: three times those of the largest VGG network."""

FEW_NUMBERS = 2**20
"""What a network may hold that its file does not fill: named as missing, not as too large."""


def require_modest(
    layers: Iterable[Layer], input_shape: Shape, where: str, most_weights: int
) -> None:
    """Refuse a stack that is too large; one that does not fit together is not judged further.

    Parameters
    ----------
    layers : iterable of Layer
    input_shape : tuple of int
        Shape of one input of the first layer, without the batch axis.
    where : str
        Begins error messages.
    most_weights : int
        How many parameters and running statistics the stack may have.

    Raises
    ------
    InputError
        For more weights than `most_weights`, more than `MOST_NUMBERS` in an input or an output, or
        more than `MOST_MULTIPLY_ADDS`.
    TypeError, ValueError
        As `Layer.declared_arrays`.
    """
    weights, multiply_adds, shape = 0, 0, input_shape
    for number, layer in enumerate(layers, start=1):
        try:
            output = layer.output_shape(shape)
        except (TypeError, ValueError):
            return  # whoever builds the stack says what does not fit
        weights += sum(spec.size for spec in layer.declared_arrays(shape))
        multiply_adds += layer.multiply_adds(shape)
        numbers = max(math.prod(shape), math.prod(output))
        place = f"{where}: layer {number}"
        _require_at_most(most_weights, weights, place, "weights")
        _require_at_most(MOST_NUMBERS, numbers, place, "numbers for one input")
        _require_at_most(MOST_MULTIPLY_ADDS, multiply_adds, place, "multiply-adds for one input")
        shape = output


def _require_at_most(most: int, count: int, place: str, what: str) -> None:
    """Refuse a count beyond a limit, and name both."""
    if count > most:
        got = f"{count:.3g}" if count < 10**300 else "far more"  # what a float can be
        raise InputError(f"{place}: expected at most {most:,} {what}, got {got}")
