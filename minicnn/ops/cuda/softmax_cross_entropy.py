"""Softmax and its cross-entropy: one warp a row, each lane every 32nd class.

Sums are float64, so that the loss is that of the reference also where there are many rows.
"""

import math

import numpy as np

from minicnn.ops.cuda.array import empty
from minicnn.ops.cuda.compile import cuda, device_function, kernel, uint32, uint64
from minicnn.ops.cuda.warps import WARP, block_sum, warp_max, warp_sum
from minicnn.ops.softmax_cross_entropy import SoftmaxCrossEntropyCache

ROWS = 8
"""Warps of a block: rows that it works on at a time."""
THREADS = ROWS * WARP
MOST_BLOCKS = 512
"""Where there are more rows than these hold, every block takes several: it leaves one sum."""


def softmax(x):
    """p = exp(x - max) / Σ exp(x - max), over the last axis: x, p (..., C)."""
    p = empty(x.shape, x.dtype)
    rows, classes = x.size // x.shape[-1], x.shape[-1]
    _softmax[blocks_for(rows)](x, p, np.uint64(rows), classes)
    return p


def softmax_cross_entropy_forward(logits, labels, class_weights, total_weight, label_smoothing):
    """Mean cross-entropy of logits (N, C) and labels (N,), a float: the reference's formula."""
    rows, classes = logits.shape
    p, blocks = empty(logits.shape, logits.dtype), blocks_for(rows)
    losses = empty((blocks,), np.float64)  # of each block's rows
    _cross_entropy[blocks](
        logits, labels, class_weights, np.float64(label_smoothing), p, losses, np.uint64(rows),
        classes,
    )
    loss = float(np.asarray(losses).sum() / total_weight)
    return loss, SoftmaxCrossEntropyCache(p, labels, class_weights, total_weight, label_smoothing)


def softmax_cross_entropy_backward(cache, dloss):
    """Gradient with respect to the logits, (N, C)."""
    p = cache.probabilities
    rows, classes = p.shape
    dlogits = empty(p.shape, p.dtype)
    _cross_entropy_gradient[blocks_for(rows)](
        p, cache.labels, cache.class_weights, np.float64(cache.label_smoothing),
        np.float64(dloss / cache.total_weight), dlogits, np.uint64(rows), classes,
    )
    return dlogits


def blocks_for(rows: int) -> int:
    """How many blocks so many rows take."""
    return min(-(-rows // ROWS), MOST_BLOCKS)


# In the kernels x, p and dlogits are pointers to a warp's row; classes = C, and c is a class of the
# lane. NaN spoils the sum of its row, and with it all of the row: greatest need not notice it.


@device_function
def _first_row():
    """The first row of this warp, in 64 bits."""
    warp = uint32(cuda.threadIdx.x) // uint32(WARP)
    return uint64(uint32(cuda.blockIdx.x)) * uint64(ROWS) + uint64(warp)


@device_function
def _rows_at_a_time():
    """How many rows further on the warp's next row is."""
    return uint64(uint32(cuda.gridDim.x)) * uint64(ROWS)


@device_function
def _exponentials(x, classes, lane):
    """Greatest logit m of a row, and Σ exp(x - m)."""
    greatest, c = x.dtype.type(-math.inf), lane
    while c < classes:
        if x[c] > greatest:
            greatest = x[c]
        c = uint32(c + uint32(WARP))
    greatest = warp_max(greatest)
    total, c = 0.0, lane
    while c < classes:
        total += np.float64(math.exp(x[c] - greatest))
        c = uint32(c + uint32(WARP))
    return greatest, warp_sum(total)


@kernel(threads=THREADS)
def _softmax(logits, probabilities, rows, classes):
    """p = exp(x - m) / Σ exp(x - m) of every row."""
    real, lane, row = logits.dtype.type, uint32(cuda.threadIdx.x) % uint32(WARP), _first_row()
    while row < rows:
        x, p = logits + row * uint64(classes), probabilities + row * uint64(classes)
        greatest, total = _exponentials(x, classes, lane)
        c = uint32(lane)
        while c < classes:
            p[c] = real(np.float64(math.exp(x[c] - greatest)) / total)
            c = uint32(c + uint32(WARP))
        row += _rows_at_a_time()


@kernel(threads=THREADS)
def _cross_entropy(logits, labels, weights, smoothing, probabilities, losses, rows, classes):
    """p of every row; losses[block] = Σ over its rows n of
    (1 - ε) · w[tₙ] · -log p[tₙ] + ε/C · Σ_c w[c] · -log p[c].
    """
    shared = cuda.shared.array(ROWS, np.float64)
    real, lane, row = logits.dtype.type, uint32(cuda.threadIdx.x) % uint32(WARP), _first_row()
    loss = 0.0  # what the lane's classes add to the losses of the warp's rows
    while row < rows:
        x, p = logits + row * uint64(classes), probabilities + row * uint64(classes)
        greatest, total = _exponentials(x, classes, lane)
        log_total, label = math.log(total), uint32(labels[row])
        spread, c = 0.0, uint32(lane)
        while c < classes:
            shifted = x[c] - greatest
            nll = log_total - np.float64(shifted)  # -log p[c]
            p[c] = real(np.float64(math.exp(shifted)) / total)
            spread += np.float64(weights[c]) * nll
            if c == label:
                loss += (1.0 - smoothing) * np.float64(weights[c]) * nll
            c = uint32(c + uint32(WARP))
        if smoothing > 0.0:
            loss += smoothing / np.float64(classes) * spread
        row += _rows_at_a_time()

    loss = block_sum(loss, shared, ROWS)
    if uint32(cuda.threadIdx.x) == uint32(0):
        losses[uint32(cuda.blockIdx.x)] = loss


@kernel(threads=THREADS)
def _cross_entropy_gradient(
    probabilities, labels, weights, smoothing, scale, gradients, rows, classes
):
    """dlogits = scale · [(1 - ε) · w[t] · (p - onehot(t)) + ε/C · (p · Σ_c w[c] - w)], each row."""
    real, lane = probabilities.dtype.type, uint32(cuda.threadIdx.x) % uint32(WARP)
    total, c = 0.0, uint32(lane)
    while c < classes:
        total += np.float64(weights[c])
        c = uint32(c + uint32(WARP))
    total = warp_sum(total)  # Σ_c w[c]
    share, row = smoothing / np.float64(classes), _first_row()
    while row < rows:
        p, dlogits = probabilities + row * uint64(classes), gradients + row * uint64(classes)
        label = uint32(labels[row])
        sharpness, c = (1.0 - smoothing) * np.float64(weights[label]), uint32(lane)
        while c < classes:
            probability = np.float64(p[c])
            sharp = sharpness * (probability - (1.0 if c == label else 0.0))
            even = share * (probability * total - np.float64(weights[c]))
            dlogits[c] = real(scale * (sharp + even))
            c = uint32(c + uint32(WARP))
        row += _rows_at_a_time()
