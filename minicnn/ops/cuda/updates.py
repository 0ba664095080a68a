"""One step of an optimizer on all parameters: each rule in one launch, a block for each piece."""

import functools
import math

import numpy as np

from minicnn.ops.cuda.array import asarray
from minicnn.ops.cuda.compile import cuda, device_function, kernel, uint32, uint64
from minicnn.ops.cuda.device import device
from minicnn.ops.cuda.flat import THREADS, VALUES, load_part, store_part
from minicnn.ops.cuda.intrinsics import pointer_to
from minicnn.ops.cuda.tables import ARRAY, COLUMNS, COUNT, START, by_dtype, table_of


def sgd_update(weights, gradients, velocities, *, lr, momentum, nesterov, scale, decays):
    """v = momentum · v + g; w -= lr · v, or with Nesterov w -= lr · (g + momentum · v)."""
    for real, (w, g, v, decay) in by_dtype(weights, gradients, velocities, decays):
        table, numbers = table_of(w, g, v), _kept_numbers(device(), tuple(decay))
        _sgd_kernel(real)[len(table.pieces)](
            *table, numbers, real(lr), real(momentum), real(scale), int(nesterov)
        )


def rmsprop_update(weights, gradients, squares, *, lr, smoothing, eps, scale, decays):
    """s = smoothing · s + (1 - smoothing) · g²; w -= lr · g / (sqrt(s) + eps)."""
    for real, (w, g, s, decay) in by_dtype(weights, gradients, squares, decays):
        table, numbers = table_of(w, g, s), _kept_numbers(device(), tuple(decay))
        _rmsprop_kernel(real)[len(table.pieces)](
            *table, numbers, real(lr), real(smoothing), real(1 - smoothing), real(eps), real(scale)
        )


def adam_update(
    weights, gradients, means, squares, *, lr, beta1, beta2, eps, step, scale, decays, shrinks
):
    """w -= lr · m̂ / (sqrt(ŝ) + eps); the corrections of m̂ and ŝ are applied to lr and eps."""
    correction = math.sqrt(1 - beta2**step)
    shrink = max(shrinks, default=0.0)  # it follows the learning rate; each array's share stays
    shares = [each / shrink if shrink else 0.0 for each in shrinks]
    columns = by_dtype(weights, gradients, means, squares, decays, shares)
    for real, (w, g, m, s, decay, share) in columns:
        table = table_of(w, g, m, s)
        numbers, part = _kept_numbers(device(), tuple(decay)), _kept_numbers(device(), tuple(share))
        _adam_kernel(real)[len(table.pieces)](
            *table, numbers, part, np.float64(shrink), real(lr * correction / (1 - beta1**step)),
            real(beta1), real(1 - beta1), real(beta2), real(1 - beta2), real(eps * correction),
            real(scale),
        )


def average_update(averages, weights, rate):
    """average += rate · (w - average)."""
    for real, (average, w) in by_dtype(averages, weights):
        table = table_of(average, w)
        _average_kernel(real)[len(table.pieces)](*table, real(rate))


@functools.lru_cache(maxsize=4)
def _kept_numbers(on, values):
    """A number for each array, on this device, the one in use: float64."""
    return asarray(np.array(values, np.float64), np.dtype(np.float64))


# A kernel is made for one `real`, float32 or float64: the dtype of the arrays behind the addresses.
# In it i is the place of a thread's four values in the piece, of which `count` are left to do.


@device_function
def _piece(pieces, addresses, columns):
    """(array, count, start, row): this block's piece, and the addresses of its arrays."""
    piece = pieces + uint64(uint32(cuda.blockIdx.x)) * uint64(COLUMNS)
    row = addresses + piece[ARRAY] * uint64(columns)
    return piece[ARRAY], uint32(piece[COUNT]), piece[START], row


@device_function
def _first_place():
    """Where this thread begins in a piece."""
    return uint32(uint32(4) * uint32(cuda.threadIdx.x))


@device_function
def _penalized(w, g, scale, decay, zero):
    """scale · g + decay · w."""
    g = scale * g
    return g + decay * w if decay != zero else g


@device_function
def _sgd_one(w, g, v, numbers, nesterov):
    """(w, v) after a step."""
    lr, momentum, scale, decay, zero = numbers
    gradient = _penalized(w, g, scale, decay, zero)
    v = momentum * v + gradient
    if nesterov:
        return w - lr * (gradient + momentum * v), v
    return w - lr * v, v


@functools.cache
def _sgd_kernel(real):
    @kernel(threads=THREADS)
    def sgd(pieces, addresses, decays, lr, momentum, scale, nesterov):
        array, count, start, row = _piece(pieces, addresses, 3)
        i, decay = _first_place(), real(decays[array])
        w, g = pointer_to(row[0], real) + start, pointer_to(row[1], real) + start
        v = pointer_to(row[2], real) + start
        numbers = (lr, momentum, scale, decay, real(0))
        while i < count:
            w0, w1, w2, w3 = load_part(w, i, count)
            g0, g1, g2, g3 = load_part(g, i, count)
            v0, v1, v2, v3 = load_part(v, i, count)
            w0, v0 = _sgd_one(w0, g0, v0, numbers, nesterov)
            w1, v1 = _sgd_one(w1, g1, v1, numbers, nesterov)
            w2, v2 = _sgd_one(w2, g2, v2, numbers, nesterov)
            w3, v3 = _sgd_one(w3, g3, v3, numbers, nesterov)
            store_part(w, i, count, w0, w1, w2, w3)
            store_part(v, i, count, v0, v1, v2, v3)
            i = uint32(i + uint32(VALUES))

    return sgd


@device_function
def _rmsprop_one(w, g, s, numbers):
    """(w, s) after a step."""
    lr, smoothing, rest, eps, scale, decay, zero = numbers
    gradient = _penalized(w, g, scale, decay, zero)
    s = smoothing * s + rest * gradient * gradient
    return w - lr * gradient / (math.sqrt(s) + eps), s


@functools.cache
def _rmsprop_kernel(real):
    @kernel(threads=THREADS)
    def rmsprop(pieces, addresses, decays, lr, smoothing, rest, eps, scale):
        array, count, start, row = _piece(pieces, addresses, 3)
        i, decay = _first_place(), real(decays[array])
        w, g = pointer_to(row[0], real) + start, pointer_to(row[1], real) + start
        s = pointer_to(row[2], real) + start
        numbers = (lr, smoothing, rest, eps, scale, decay, real(0))
        while i < count:
            w0, w1, w2, w3 = load_part(w, i, count)
            g0, g1, g2, g3 = load_part(g, i, count)
            s0, s1, s2, s3 = load_part(s, i, count)
            w0, s0 = _rmsprop_one(w0, g0, s0, numbers)
            w1, s1 = _rmsprop_one(w1, g1, s1, numbers)
            w2, s2 = _rmsprop_one(w2, g2, s2, numbers)
            w3, s3 = _rmsprop_one(w3, g3, s3, numbers)
            store_part(w, i, count, w0, w1, w2, w3)
            store_part(s, i, count, s0, s1, s2, s3)
            i = uint32(i + uint32(VALUES))

    return rmsprop


@device_function
def _adam_one(w, g, m, s, numbers):
    """(w, m, s) after a step."""
    rate, beta1, rest1, beta2, rest2, eps, scale, decay, kept, zero = numbers
    w = kept * w
    gradient = _penalized(w, g, scale, decay, zero)
    m = beta1 * m + rest1 * gradient
    s = beta2 * s + rest2 * gradient * gradient
    return w - rate * m / (math.sqrt(s) + eps), m, s


@functools.cache
def _adam_kernel(real):
    @kernel(threads=THREADS)
    def adam(
        pieces, addresses, decays, shares, shrink, rate, beta1, rest1, beta2, rest2, eps, scale
    ):
        array, count, start, row = _piece(pieces, addresses, 4)
        i = _first_place()
        w, g = pointer_to(row[0], real) + start, pointer_to(row[1], real) + start
        m, s = pointer_to(row[2], real) + start, pointer_to(row[3], real) + start
        decay, kept = real(decays[array]), real(1.0 - shrink * shares[array])
        numbers = (rate, beta1, rest1, beta2, rest2, eps, scale, decay, kept, real(0))
        while i < count:
            w0, w1, w2, w3 = load_part(w, i, count)
            g0, g1, g2, g3 = load_part(g, i, count)
            m0, m1, m2, m3 = load_part(m, i, count)
            s0, s1, s2, s3 = load_part(s, i, count)
            w0, m0, s0 = _adam_one(w0, g0, m0, s0, numbers)
            w1, m1, s1 = _adam_one(w1, g1, m1, s1, numbers)
            w2, m2, s2 = _adam_one(w2, g2, m2, s2, numbers)
            w3, m3, s3 = _adam_one(w3, g3, m3, s3, numbers)
            store_part(w, i, count, w0, w1, w2, w3)
            store_part(m, i, count, m0, m1, m2, m3)
            store_part(s, i, count, s0, s1, s2, s3)
            i = uint32(i + uint32(VALUES))

    return adam


@functools.cache
def _average_kernel(real):
    @kernel(threads=THREADS)
    def average(pieces, addresses, rate):
        _, count, start, row = _piece(pieces, addresses, 2)
        i = _first_place()
        mean, w = pointer_to(row[0], real) + start, pointer_to(row[1], real) + start
        while i < count:
            a, b, c, d = load_part(mean, i, count)
            w0, w1, w2, w3 = load_part(w, i, count)
            a, b = a + rate * (w0 - a), b + rate * (w1 - b)
            c, d = c + rate * (w2 - c), d + rate * (w3 - d)
            store_part(mean, i, count, a, b, c, d)
            i = uint32(i + uint32(VALUES))

    return average
