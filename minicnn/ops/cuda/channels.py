"""What one thread adds up of rows of channels, for its lanes: the loops of normalisation.

A thread has some neighbouring channels, from `c` on, and every `at_once`-th row from `row` to
`count` of an array (count, C) that x points to. 16 rows are added in x's dtype, which is fast;
these sums are added in float64. `few` is room for the sums of 16 rows.
"""

import functools
import math
from collections.abc import Callable

import numpy as np

from minicnn.ops.cuda.compile import device_function, uint32
from minicnn.ops.cuda.rows import FEW_ROWS, moves


@functools.cache
def moment_sums(lanes: int) -> Callable[..., None]:
    """``add_moments(x, c, row, count, at_once, channels, first, few, sums)``.

    Adds Σ (x - first) of each lane to the first half of `sums`, and Σ (x - first)² to the second.
    """
    load, _ = moves(lanes)
    entries = 2 * lanes

    @device_function
    def add_few(x, place, step, first, few):
        """Set `few` to the sums over a few rows, in x's dtype."""
        for entry in range(entries):
            few[entry] = x.dtype.type(0)
        for k in range(FEW_ROWS):
            values = load(x, uint32(place + uint32(k) * step))
            for lane in range(lanes):
                difference = values[lane] - first[lane]
                few[lane] += difference
                few[lanes + lane] += difference * difference

    @device_function
    def add_exactly(x, place, step, count, first, sums):
        """Add so many rows in float64, row by row."""
        for _ in range(count):
            values = load(x, place)
            for lane in range(lanes):
                difference = np.float64(values[lane]) - np.float64(first[lane])
                sums[lane] += difference
                sums[lanes + lane] += difference * difference
            place = uint32(place + step)

    @device_function
    def add_moments(x, c, row, count, at_once, channels, first, few, sums):
        real = x.dtype.type
        place, step = uint32(row * channels + c), uint32(at_once * channels)
        while uint32(row + at_once * uint32(FEW_ROWS - 1)) < count:
            add_few(x, place, step, first, few)
            squares = few[lanes]
            for lane in range(1, lanes):
                squares += few[lanes + lane]
            if squares < real(math.inf):
                for entry in range(entries):
                    sums[entry] += np.float64(few[entry])
            else:  # squares beyond the range of float32
                add_exactly(x, place, step, uint32(FEW_ROWS), first, sums)
            row = uint32(row + at_once * uint32(FEW_ROWS))
            place = uint32(place + step * uint32(FEW_ROWS))
        if row < count:
            left_over = uint32(uint32(count - row + at_once - uint32(1)) // at_once)
            add_exactly(x, place, step, left_over, first, sums)

    return add_moments


@functools.cache
def product_sums(lanes: int) -> Callable[..., None]:
    """``add_products(x, dy, c, row, count, at_once, channels, near, few, sums)``.

    Adds Σ dy of each lane to the first half of `sums`, and Σ dy · (x - near) to the second.
    """
    load, _ = moves(lanes)
    entries = 2 * lanes

    @device_function
    def add_row(x, dy, place, near, few):
        """Add a row to the sums of dy, and of the product dy · (x - near)."""
        gradients, values = load(dy, place), load(x, place)
        for lane in range(lanes):
            few[lane] += gradients[lane]
            few[lanes + lane] += gradients[lane] * (values[lane] - near[lane])

    @device_function
    def add_products(x, dy, c, row, count, at_once, channels, near, few, sums):
        place, step = uint32(row * channels + c), uint32(at_once * channels)
        while row < count:
            for entry in range(entries):
                few[entry] = x.dtype.type(0)
            if uint32(row + at_once * uint32(FEW_ROWS - 1)) < count:
                for k in range(FEW_ROWS):
                    add_row(x, dy, uint32(place + uint32(k) * step), near, few)
            else:
                left_over = uint32(uint32(count - row + at_once - uint32(1)) // at_once)
                for k in range(left_over):
                    add_row(x, dy, uint32(place + uint32(k) * step), near, few)
            for entry in range(entries):
                sums[entry] += np.float64(few[entry])
            row = uint32(row + at_once * uint32(FEW_ROWS))
            place = uint32(place + step * uint32(FEW_ROWS))

    return add_products
