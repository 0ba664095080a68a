"""Convolution of images with few channels, as of a network's first layer: registers alone.

With so few channels there is little to compute for each number of y: its memory decides. So every
number of y, or of dy, goes through memory once, four filters at a time. A thread takes a strip of
`STRIP` neighbouring outputs. The pixels under one row of their windows overlap: it reads each once.

A row of x is taken as W·C numbers: under a row of a window lie taps = KW·C of them, and step =
across·C further on those under the next window. So the channels are no axis of their own here.

In the kernels H, OH, OW, K, KH are lengths of x (N, H, W, C), y (N, OH, OW, K), w (KH, KW, C, K),
and WC = W·C. Of a thread's numbers u counts the outputs of its strip, e its four filters, t the
taps. What would be negative is huge, because these numbers have no sign: so it is not inside.
"""

import functools

import numpy as np

from minicnn.ops.cuda.array import empty
from minicnn.ops.cuda.compile import cuda, device_function, kernel, uint32, uint64
from minicnn.ops.cuda.device import device
from minicnn.ops.cuda.intrinsics import load4, store4
from minicnn.ops.cuda.sums import column_sums

STRIP = 4
"""Neighbouring outputs a thread; twice as many forward, where taps and step are few."""

FEW = 6
"""Taps and step together."""

MOST_CHANNELS = 4

MOST_PRODUCTS = 27
"""Products a number of y, at most: with more the arithmetic takes longer than the memory."""

MOST_TAPS, MOST_STEP = 12, 6
"""Of a row of the window, and on to the next: the pixels of a strip are in registers."""

MOST_NUMBERS = 108
"""Sums, pixels and gradients of a thread together, at most: they are registers too."""

THREADS = 128
SUMMING_THREADS = 64
THREADS_A_MULTIPROCESSOR = 512
"""How many take part in a weight gradient: enough to keep the memory busy."""

MOST_TERMS = 1024
"""Pixels that a thread adds one by one: a longer sum would lose digits."""

LANES = 8
"""Neighbouring threads that share a pixel of dx: four filters each, 128 bytes of dy in a row."""


def fits(w_shape, window):
    """Whether this is for filters w (KH, KW, C, K) of this window."""
    height, width, channels, filters = w_shape
    return (
        channels <= MOST_CHANNELS
        and height * width * channels <= MOST_PRODUCTS
        and width * channels <= MOST_TAPS
        and window.stride[1] * channels <= MOST_STEP
        and filters % 4 == 0
    )


# -- y[n, p, q, k] = b[k] + Σ over i, j, c of x̄[n, p·s + i, q·s + j, c] · w[i, j, c, k] ------------


def forward(x, w, b, window):
    """y = x * w + b: x (N, H, W, C), w (KH, KW, C, K), b (K,) or None -> y (N, OH, OW, K)."""
    (count, height, width, channels), filters = x.shape, w.shape[3]
    rows, columns = window.output_size(height, width)
    (top, _), (left, _) = window.padding
    y = empty((count, rows, columns, filters), x.dtype)
    taps, step = window.size[1] * channels, window.stride[1] * channels
    strip = 2 * STRIP if taps + step <= FEW else STRIP
    strips, groups = -(-columns // strip), filters // 4
    threads = count * rows * strips * groups
    forward_kernel(taps, step, strip)[-(-threads // THREADS)](
        x, w, w if b is None else b, y, threads, int(b is not None),
        height, width * channels, rows, columns, filters,
        window.size[0], window.stride[0], top, left * channels, strips, groups,
    )
    return y


@functools.cache
def forward_kernel(taps, step, strip):
    outputs = 4 * strip
    length = (strip - 1) * step + taps  # numbers of a row of x̄ under a strip

    @kernel(threads=THREADS)
    def direct_convolution(
        x, w, b, y, threads, has_bias, H, WC, OH, OW, K, KH, down, top, left, strips, groups
    ):
        """A thread: a strip of outputs, of four filters; its neighbours have the next filters."""
        real = x.dtype.type
        sums = cuda.local.array(outputs, real)
        pixels = cuda.local.array(length, real)
        thread = uint32(cuda.grid(1))
        if thread >= threads:
            return
        here, k = uint32(thread // groups), uint32(uint32(4) * uint32(thread % groups))
        row, q = uint32(here // strips), uint32(uint32(strip) * uint32(here % strips))
        n, p = uint32(row // OH), uint32(row % OH)
        image = x + uint64(n) * uint64(H) * uint64(WC)

        bias = (real(0), real(0), real(0), real(0))
        if has_bias:
            bias = load4(b, k)
        for u in range(strip):
            for e in range(4):
                sums[4 * u + e] = bias[e]
        weights = w + k
        for i in range(KH):
            h = uint32(p * down + uint32(i) - top)
            _read_pixels(pixels, 0, length, image, h, H, uint32(q * uint32(step) - left), WC)
            for t in range(taps):
                weight = load4(weights, 0)
                weights = weights + K
                for u in range(strip):
                    for e in range(4):
                        sums[4 * u + e] += pixels[u * step + t] * weight[e]

        place = y + (uint64(row) * uint64(OW) + uint64(q)) * uint64(K) + uint64(k)
        for u in range(strip):
            if q + uint32(u) < OW:
                store4(
                    place, uint32(uint32(u) * K),
                    sums[4 * u], sums[4 * u + 1], sums[4 * u + 2], sums[4 * u + 3],
                )

    return direct_convolution


# -- dx[n, h, v, c] = Σ of dy[n, p, q, k] · w[i, j, c, k] at p·s + i = h + top, q·s + j = v + left


def input_gradient(dy, w, window, x_shape):
    """dy (N, OH, OW, K), w (KH, KW, C, K) -> dx (N, H, W, C)."""
    count, height, width, channels = x_shape
    (_, rows, columns, filters), ((top, _), (left, _)) = dy.shape, window.padding
    dx = empty(x_shape, dy.dtype)
    pixels = count * height * width
    input_gradient_kernel(channels)[-(-pixels // (THREADS // LANES))](
        dy, w, dx, pixels, height, width, rows, columns, filters,
        *window.size, *window.stride, top, left,
    )
    return dx


@functools.cache
def input_gradient_kernel(channels):
    @kernel(threads=THREADS)
    def direct_input_gradient(
        dy, w, dx, pixels, H, W, OH, OW, K, KH, KW, down, across, top, left
    ):
        """`LANES` threads: one pixel, with all its channels; each sums every eighth quad of k."""
        real = dy.dtype.type
        sums = cuda.local.array(channels, real)
        for c in range(channels):
            sums[c] = real(0)
        lane = uint32(cuda.threadIdx.x % LANES)
        pixel = uint32(cuda.blockIdx.x * (THREADS // LANES) + cuda.threadIdx.x // LANES)
        inside = pixel < pixels
        if inside:
            row = uint32(pixel // W)
            n, h = uint32(row // H), uint32(uint32(row % H) + top)  # of x̄
            v = uint32(uint32(pixel % W) + left)
            gradients = dy + uint64(n) * uint64(OH) * uint64(OW) * uint64(K)
            # the pixel lies under place i of window p, under place i + s of the window above, ...
            p, i = uint32(h // down), uint32(h % down)
            while i < KH:
                q, j = uint32(v // across), uint32(v % across)
                while j < KW:
                    if p < OH and q < OW:
                        window = gradients + uint64(uint32(uint32(p * OW) + q)) * uint64(K)
                        weights = uint32(uint32(uint32(i * KW) + j) * uint32(channels))
                        k = uint32(lane * uint32(4))
                        while k < K:
                            gradient = load4(window, k)
                            for c in range(channels):
                                weight = load4(w, uint32(uint32(weights + uint32(c)) * K) + k)
                                for e in range(4):
                                    sums[c] += gradient[e] * weight[e]
                            k = uint32(k + uint32(4 * LANES))
                    q, j = uint32(q - uint32(1)), uint32(j + across)
                p, i = uint32(p - uint32(1)), uint32(i + down)
        for c in range(channels):
            total = sums[c]
            for distance in (4, 2, 1):
                total += cuda.shfl_xor_sync(0xFFFFFFFF, total, distance)
            if inside and lane == uint32(0):
                dx[uint64(pixel) * uint64(channels) + uint64(c)] = total

    return direct_input_gradient


# -- dw[i, j, c, k] = Σ over n, p, q of x̄[n, p·s + i, q·s + j, c] · dy[n, p, q, k] ---------------


def weight_gradient(x, dy, window, w_shape):
    """x (N, H, W, C), dy (N, OH, OW, K) -> dw (KH, KW, C, K): parts of it, and their sum."""
    (_, height, width, channels), (count, rows, columns, filters) = x.shape, dy.shape
    (top, _), (left, _) = window.padding
    taps, step = window.size[1] * channels, window.stride[1] * channels
    heights = window_rows(window.size[0], taps, step)
    groups, bands = filters // 4, window.size[0] // heights
    each = rows_each(count * rows, columns, groups * bands, device().multiprocessors)
    parts = empty((-(-count * rows // each), *w_shape), dy.dtype)
    threads = parts.shape[0] * groups * bands
    weight_gradient_kernel(taps, step, heights)[-(-threads // SUMMING_THREADS)](
        x, dy, parts, threads, height, width * channels, rows, columns, filters, count * rows,
        window.stride[0], top, left * channels, each, groups, bands,
    )
    return column_sums(parts.reshape(parts.shape[0], -1)).reshape(*w_shape)


def window_rows(window_height, taps, step):
    """How many rows of the window a thread sums: all if their numbers fit into registers, or one.

    With one, every row of the window reads dy again, in neighbouring threads.
    """
    pixels = (STRIP - 1) * step + taps
    numbers = window_height * (4 * taps + pixels) + 4 * STRIP
    return window_height if numbers <= MOST_NUMBERS else 1


def rows_each(rows, columns, threads_a_row, multiprocessors):
    """How many rows of dy a thread sums, of so many in all, of so many columns."""
    wanted = max(multiprocessors * THREADS_A_MULTIPROCESSOR // threads_a_row, 1)
    return max(min(-(-rows // wanted), MOST_TERMS // columns), 1)


@functools.cache
def weight_gradient_kernel(taps, step, heights):
    outputs = 4 * STRIP
    length = (STRIP - 1) * step + taps
    whole = heights * length
    weights = 4 * taps * heights

    @kernel(threads=SUMMING_THREADS)
    def direct_weight_gradient(
        x, dy, parts, threads, H, WC, OH, OW, K, rows, down, top, left, each, groups, bands
    ):
        """A thread: `heights` rows of the window and four filters, over `each` rows of dy."""
        real = x.dtype.type
        sums = cuda.local.array(weights, real)
        pixels = cuda.local.array(whole, real)
        gradients = cuda.local.array(outputs, real)
        thread = uint32(cuda.grid(1))
        if thread >= threads:
            return
        rest, k = uint32(thread // groups), uint32(uint32(4) * uint32(thread % groups))
        part, i = uint32(rest // bands), uint32(uint32(rest % bands) * uint32(heights))
        for e in range(weights):
            sums[e] = real(0)
        row = uint32(part * each)
        last = min(uint32(row + each), rows)
        n, p = uint32(row // OH), uint32(row % OH)
        image = x + uint64(n) * uint64(H) * uint64(WC)
        place = dy + uint64(row) * uint64(OW) * uint64(K) + uint64(k)
        while row < last:
            q = uint32(0)
            while q < OW:
                for u in range(STRIP):
                    if q + uint32(u) < OW:
                        gradient = load4(place, 0)
                        place = place + K
                        for e in range(4):
                            gradients[4 * u + e] = gradient[e]
                for r in range(heights):
                    h = uint32(p * down + i + uint32(r) - top)
                    _read_pixels(
                        pixels, r * length, length, image, h, H, uint32(q * uint32(step) - left), WC
                    )
                for u in range(STRIP):
                    # not 0 · pixel behind the last output: a pixel that it does not see may be NaN
                    if q + uint32(u) < OW:
                        for r in range(heights):
                            for t in range(taps):
                                for e in range(4):
                                    sums[4 * (r * taps + t) + e] += (
                                        pixels[r * length + u * step + t] * gradients[4 * u + e]
                                    )
                q = uint32(q + uint32(STRIP))
            row, p = uint32(row + uint32(1)), uint32(p + uint32(1))
            if p == OH:
                p = uint32(0)
                image = image + uint64(H) * uint64(WC)

        part_of = parts + uint64(rest) * uint64(heights * taps) * uint64(K) + uint64(k)
        for t in range(heights * taps):
            store4(
                part_of, uint32(uint32(t) * K),
                sums[4 * t], sums[4 * t + 1], sums[4 * t + 2], sums[4 * t + 3],
            )

    return direct_weight_gradient


@device_function
def _read_pixels(pixels, at, length, image, h, height, v, width):
    """pixels[at : at + length] = x̄[h, v : v + length], of an image (height, width): 0 outside."""
    place = image + uint64(h) * uint64(width) + np.int64(np.int32(v))
    end = width if h < height else uint32(0)
    for t in range(length):
        inside = uint32(v + uint32(t)) < end
        pixels[at + t] = place[t] if inside else image.dtype.type(0)
