"""Sums and affine maps of rows of channels, each channel by itself: the loops of normalisation.

x and dy are (R, C), R rows of C channels, seen as flat arrays, and a function does the rows `start`
to `stop`. `near` (C,) is subtracted from x before anything else: a number next to the mean, so that
no digits are lost where the mean is large. 16 rows are added in x's dtype, which is fast; these
sums are added in float64.
"""

import numpy as np

from minicnn.compiling.kernels import worker
from minicnn.ops.cpu.linalg.simd import (
    lanes_of,
    load,
    load_part,
    multiply_add,
    put,
    settle,
    store,
    store_part,
)
from minicnn.ops.cpu.linalg.sums import FEW_ROWS, STRIP, strip_of


@worker
def add_moments(x, start, stop, near, sums, squares):
    """sums += Σ (x - near), squares += Σ (x - near)²: of each channel, over the rows."""
    channels, strip = near.size, strip_of(x)
    few, few_squares = np.empty((2, channels + strip), x.dtype)
    for begin in range(start, stop, FEW_ROWS):
        few[:] = few_squares[:] = 0
        for row in range(begin * channels, min(begin + FEW_ROWS, stop) * channels, channels):
            for c in range(0, channels, strip):
                valid = channels - c
                difference = load_part(x, row + c, valid, STRIP) - load_part(near, c, valid, STRIP)
                store(few, c, load(few, c, STRIP) + difference)
                before = load(few_squares, c, STRIP)
                store(few_squares, c, multiply_add(difference, difference, before))
        for c in range(channels):
            sums[c] += few[c]
            squares[c] += few_squares[c]


@worker
def map_rows(x, start, stop, near, scale, shift, y, large):
    """y = (x - near) · scale + shift, in the rows."""
    channels, lane_count = near.size, lanes_of(x)
    left_over = channels % lane_count
    for row in range(start * channels, stop * channels, channels):
        for c in range(0, channels - left_over, lane_count):
            centred = load(x, row + c, 1) - load(near, c, 1)
            put(y, row + c, centred * load(scale, c, 1) + load(shift, c, 1), large)
        if left_over > 0:
            c = channels - left_over
            centred = load_part(x, row + c, left_over, 1) - load_part(near, c, left_over, 1)
            scaled = centred * load_part(scale, c, left_over, 1)
            store_part(y, row + c, left_over, scaled + load_part(shift, c, left_over, 1))
    settle()


@worker
def add_products(x, dy, start, stop, near, dy_sums, products):
    """dy_sums += Σ dy, products += Σ dy · (x - near): of each channel, over the rows."""
    channels, strip = near.size, strip_of(x)
    few, few_products = np.empty((2, channels + strip), x.dtype)
    for begin in range(start, stop, FEW_ROWS):
        few[:] = few_products[:] = 0
        for row in range(begin * channels, min(begin + FEW_ROWS, stop) * channels, channels):
            for c in range(0, channels, strip):
                valid = channels - c
                gradient = load_part(dy, row + c, valid, STRIP)
                centred = load_part(x, row + c, valid, STRIP) - load_part(near, c, valid, STRIP)
                store(few, c, load(few, c, STRIP) + gradient)
                before = load(few_products, c, STRIP)
                store(few_products, c, multiply_add(gradient, centred, before))
        for c in range(channels):
            dy_sums[c] += few[c]
            products[c] += few_products[c]


@worker
def map_gradients(x, dy, start, stop, near, scale, slope, offset, dx, large):
    """dx = scale · dy - offset - (x - near) · slope, in the rows."""
    channels, lane_count = near.size, lanes_of(x)
    left_over = channels % lane_count
    for row in range(start * channels, stop * channels, channels):
        for c in range(0, channels - left_over, lane_count):
            centred = load(x, row + c, 1) - load(near, c, 1)
            without_mean = load(scale, c, 1) * load(dy, row + c, 1) - load(offset, c, 1)
            put(dx, row + c, without_mean - centred * load(slope, c, 1), large)
        if left_over > 0:
            c = channels - left_over
            centred = load_part(x, row + c, left_over, 1) - load_part(near, c, left_over, 1)
            scaled = load_part(scale, c, left_over, 1) * load_part(dy, row + c, left_over, 1)
            without_mean = scaled - load_part(offset, c, left_over, 1)
            tilted = centred * load_part(slope, c, left_over, 1)
            store_part(dx, row + c, left_over, without_mean - tilted)
    settle()
