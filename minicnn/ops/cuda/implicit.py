"""Convolution as a product with cols, a matrix that is never built: any window, stride, padding.

cols[(n, p, q), (i, j, c)] = x̄[n, p·down + i, q·across + j, c], where x̄ is x with its padding:

- y (N·OH·OW, K) = cols (N·OH·OW, KH·KW·C) @ w (KH·KW·C, K);
- dw (KH·KW·C, K) = colsᵀ @ dy (N·OH·OW, K);
- dx is the convolution of dy with the windows turned around, w[KH-1-i, KW-1-j, c, k].

`implicit_kernel` computes these products, `implicit_plan` says how they are shared out.
"""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

from minicnn.ops.cuda.array import DeviceArray, empty
from minicnn.ops.cuda.compile import Kernel, cuda, kernel, uint32
from minicnn.ops.cuda.device import device
from minicnn.ops.cuda.implicit_kernel import product_kernel
from minicnn.ops.cuda.implicit_plan import STEPS, TILES, TileOnChip, plan
from minicnn.ops.cuda.sums import sum_into
from minicnn.ops.window import Window

MOST_NUMBERS = 2**31
"""Of an array in a launch: then places, and sums of two of them, fit into 32 bits."""


@dataclasses.dataclass(frozen=True)
class Multiplier:
    """What computes the products.

    Attributes
    ----------
    kernel : callable
        As `product_kernel`.
    tiles : dict
        Those that the plan chooses from, by the bytes of a number.
    """

    kernel: Callable[..., Kernel]
    tiles: dict[int, tuple[TileOnChip, ...]]


REGISTERS = Multiplier(product_kernel, TILES)
"""Each thread multiplies by itself; `tensorcore` has warps do so together."""


@dataclasses.dataclass(frozen=True)
class Geometry:
    """How windows lie on images (N, H, W, C); `above` and `before` may be less than zero."""

    height: int
    width: int
    channels: int
    places_down: int
    places_across: int
    down: int
    across: int
    above: int
    before: int
    window_width: int

    def numbers(self) -> list[int]:
        """As the kernel takes them; numbers less than zero are taken modulo 2**32."""
        return [number % 2**32 for number in dataclasses.astuple(self)]


def forward(
    x: DeviceArray, w: DeviceArray, b: DeviceArray | None, window: Window,
    multiplier: Multiplier = REGISTERS,
) -> DeviceArray:
    """y = cols @ w + b: x (N, H, W, C), w (KH, KW, C, K), b (K,) or None -> y (N, OH, OW, K)."""
    geometry = _geometry(x.shape, window)
    places = geometry.places_down * geometry.places_across
    y = empty((x.shape[0], geometry.places_down, geometry.places_across, w.shape[3]), x.dtype)
    for images, x_part, y_part in _slices(x, y):
        depth = w.size // w.shape[3]
        _product("cols", x_part, w, b, y_part, images * places, depth, geometry, multiplier)
    return y


def input_gradient(
    dy: DeviceArray, w: DeviceArray, window: Window, x_shape: tuple[int, ...],
    multiplier: Multiplier = REGISTERS,
) -> DeviceArray:
    """dy (N, OH, OW, K), w (KH, KW, C, K) -> dx (N, H, W, C).

    Pixels of x whose place in a window agrees modulo the stride have the same part of the window in
    common: a stride of 1 has one such phase, a stride of (2, 2) four. Each is a convolution of dy
    with stride 1. Zeros stand for the windows that a pixel at the border has not, so that a filter
    that is not finite reaches that pixel too; in the reference it does not.
    """
    dx = empty(x_shape, dy.dtype)
    height, width = x_shape[1:3]
    phases = [
        (down, across)
        for down in _phases(0, window, height)
        for across in _phases(1, window, width)
    ]
    for down, across in phases:
        turned = _turned(w, down, across)
        places_down, places_across, filters = dy.shape[1:]
        geometry = Geometry(
            places_down, places_across, filters, down.count, across.count, 1, 1,
            down.before, across.before, across.size,
        )
        spacing = None
        if len(phases) > 1:
            steps = height * width, down.stride * width, across.stride
            spacing = down.first * width + across.first, steps
        for images, dy_part, dx_part in _slices(dy, dx):
            rows, depth = images * down.count * across.count, down.size * across.size * filters
            _product(
                "cols", dy_part, turned, None, dx_part, rows, depth, geometry, multiplier, spacing
            )
    return dx


def weight_gradient(
    x: DeviceArray, dy: DeviceArray, window: Window, w_shape: tuple[int, ...],
    multiplier: Multiplier = REGISTERS,
) -> DeviceArray:
    """dw = colsᵀ @ dy: x (N, H, W, C), dy (N, OH, OW, K) -> dw (KH, KW, C, K)."""
    dw = empty(w_shape, dy.dtype)
    geometry = _geometry(x.shape, window)
    slices = list(_slices(x, dy))
    parts = dw if len(slices) == 1 else empty((len(slices), *w_shape), dy.dtype)
    for s, (images, x_part, dy_part) in enumerate(slices):
        part = parts.part(s * dw.size, w_shape)
        rows, depth = dw.size // w_shape[3], images * geometry.places_down * geometry.places_across
        _product("colsᵀ", x_part, dy_part, None, part, rows, depth, geometry, multiplier)
    if len(slices) != 1:
        sum_into(parts, dw)
    return dw


def _geometry(x_shape: tuple[int, ...], window: Window) -> Geometry:
    _, height, width, channels = x_shape
    (above, _), (before, _) = window.padding
    places_down, places_across = window.output_size(height, width)
    down, across = window.stride
    padded = [length + sum(sides) for length, sides in zip(
        (height, width), window.padding, strict=True
    )]
    if max(padded) >= MOST_NUMBERS:
        raise ValueError(
            f"conv2d: expected less than {MOST_NUMBERS:,} pixels along a padded image's side, got "
            f"{tuple(padded)}; pad less"
        )
    return Geometry(
        height, width, channels, places_down, places_across, down, across, above, before,
        window.size[1],
    )


def _slices(a: DeviceArray, b: DeviceArray) -> Iterator[tuple[int, DeviceArray, DeviceArray]]:
    """Some images at a time of both arrays (N, ...), so many that 32 bits count their numbers."""
    count = a.shape[0]
    if not count:
        return
    a_size, b_size = a.size // count, b.size // count
    at_once = (MOST_NUMBERS - 1) // max(a_size, b_size, 1)
    if not at_once:
        raise ValueError(
            f"conv2d: expected images of less than {MOST_NUMBERS:,} numbers, got {a.shape} "
            f"and {b.shape}; cut the images into parts"
        )
    for first in range(0, count, at_once):
        images = min(at_once, count - first)
        a_part = a.part(first * a_size, (images, *a.shape[1:]))
        yield images, a_part, b.part(first * b_size, (images, *b.shape[1:]))


def _product(
    source: str, x: DeviceArray, matrix: DeviceArray, bias: DeviceArray | None, c: DeviceArray,
    rows: int, depth: int, geometry: Geometry, multiplier: Multiplier,
    spacing: tuple[int, Any] | None = None,
) -> None:
    """C = A @ matrix + bias, with A cols or colsᵀ of x, C of `rows` rows, sums of `depth` products.

    Where there is `spacing`, C's rows are not one behind the other but begin at a row and lie some
    rows apart: (first, (from image to image, down, across)).
    """
    columns = matrix.shape[-1]
    if not rows * columns:
        return
    if max(matrix.size, c.size) >= MOST_NUMBERS:
        raise ValueError(
            f"conv2d: expected filters of less than {MOST_NUMBERS:,} numbers, got "
            f"{max(matrix.size, c.size):,}; compute them in parts"
        )
    side = 16 // x.dtype.itemsize
    x_piece = 1 if geometry.channels % side else side
    piece = 1 if columns % side else side
    share = plan(
        rows, columns, depth, x.dtype.itemsize, device().multiprocessors,
        scattered=x_piece == 1, cuttable=spacing is None,
        tiles=multiplier.tiles[x.dtype.itemsize],
    )
    parts, first_cut = c, share.whole * share.chip.tile.block_rows
    if share.pieces > 1:
        parts = empty((share.pieces, rows - first_cut, columns), c.dtype)
    first, steps = spacing or (0, (0, 0, 0))
    begin = c.part(first * columns, (c.size - first * columns,))
    multiplier.kernel(source, share.chip, x_piece, piece)[share.blocks, share.across](
        x, matrix, matrix if bias is None else bias, int(bias is not None), begin, parts,
        rows, columns, depth, share.whole, share.cut, share.piece * STEPS,
        *geometry.numbers(), *steps,
    )
    if share.pieces > 1:
        sum_into(parts, c.part(first_cut * columns, parts.shape[1:]))


# -- windows turned around ------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Phase:
    """Pixels along one axis of x that lie under the same part of the windows.

    Attributes
    ----------
    first, count : int
        The first pixel, and how many there are, one each stride.
    stride : int
    start, size : int
        The window's first number that the pixels lie under, and how many there are, one each
        stride.
    before : int
        The padding of dy.
    """

    first: int
    count: int
    stride: int
    start: int
    size: int
    before: int


def _phases(axis: int, window: Window, length: int) -> Iterator[Phase]:
    """Pixel u lies under place i of window p where p·s + i = u + padding.

    So i = start + s·i' and p = (u + padding - start) / s - i', for i' from 0 to size - 1.
    """
    size, stride, padding = window.size[axis], window.stride[axis], window.padding[axis][0]
    for start in range(stride):
        first = (start - padding) % stride
        count = max(-(-(length - first) // stride), 0)
        numbers = max(-(-(size - start) // stride), 0)
        before = numbers - 1 - (first + padding - start) // stride
        yield Phase(first, count, stride, start, numbers, before)


def _turned(w: DeviceArray, down: Phase, across: Phase) -> DeviceArray:
    """turned[i', j', k, c] = w[start + s·(size - 1 - i'), likewise j', c, k].

    w (KH, KW, C, K) -> turned (size down, size across, K, C).
    """
    _, window_width, channels, filters = w.shape
    turned = empty((down.size, across.size, filters, channels), w.dtype)
    if turned.size:
        grid = -(-filters // SIDE) * down.size * across.size, -(-channels // SIDE)
        _turn[grid](
            w, turned, channels, filters, window_width, down.size, across.size,
            down.start, across.start, down.stride, across.stride,
        )
    return turned


SIDE = 32
"""Of the squares that are transposed in shared memory, so that both sides move whole lines."""
LINE = SIDE + 1
"""Of a square in shared memory: then a column lies in as many banks as a line."""
SQUARE = SIDE * LINE


@kernel(threads=SIDE * 8)
def _turn(
    w, turned, channels, filters, window_width, size_down, size_across,
    start_down, start_across, stride_down, stride_across,
):
    """A block transposes a square of C × K of one place (i', j') of the window."""
    square = cuda.shared.array(SQUARE, w.dtype)
    thread, block = uint32(cuda.threadIdx.x), uint32(cuda.blockIdx.x)
    lane, line = uint32(thread % uint32(SIDE)), uint32(thread // uint32(SIDE))
    places = uint32(size_down * size_across)
    target, k_square = uint32(block % places), uint32(block // places * uint32(SIDE))
    c_square = uint32(cuda.blockIdx.y * uint32(SIDE))
    i = uint32(start_down + stride_down * (size_down - 1 - target // size_across))
    j = uint32(start_across + stride_across * (size_across - 1 - target % size_across))
    source = uint32(i * window_width + j)
    for v in range(0, SIDE, 8):
        c, k = uint32(c_square + line + uint32(v)), uint32(k_square + lane)
        if c < channels and k < filters:
            place = uint32((source * channels + c) * filters + k)
            square[(line + uint32(v)) * uint32(LINE) + lane] = w[place]
    cuda.syncthreads()
    for v in range(0, SIDE, 8):
        k, c = uint32(k_square + line + uint32(v)), uint32(c_square + lane)
        if c < channels and k < filters:
            place = uint32((target * filters + k) * channels + c)
            turned[place] = square[lane * uint32(LINE) + line + uint32(v)]
