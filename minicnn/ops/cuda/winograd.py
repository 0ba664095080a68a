"""Convolution with 3×3 filters at stride 1 by Winograd's F(4×4, 3×3): 36 multiplications, not 144.

As in `minicnn.ops.cpu.conv2d_winograd`: a tile of 4×4 outputs y needs 6×6 inputs d, and ::

    y = Aᵀ [ (G g Gᵀ) ⊙ (Bᵀ d B) ] A          (Lavin and Gray 2015, arXiv:1509.09308, equation 8)

Summed over channels, the products at each of the 36 frequencies f are one matrix product::

    V[f] (tiles, C) = Bᵀ d B       U[f] (C, K) = G g Gᵀ
    M[f] (tiles, K) = V[f] U[f]              y = Aᵀ M A + bias

    dx: the same with dy for x, filters flipped, and U[f]ᵀ (K, C)
    dU[f] (C, K) = V[f]ᵀ (A dy Aᵀ)[f]       dw = Gᵀ dU G

Each direction is four launches: two transforms there, the 36 products in one, and a transform back.
V and M have 2.25 times the elements of x and y and pass through the device's memory: that is the
price of a quarter of the multiplications. What of V was written last is still in the second-level
cache, so the products begin with the last tiles, and the transform of M with the first.
"""

from typing import NamedTuple

import numpy as np

from minicnn.ops.cuda.array import DeviceArray, empty
from minicnn.ops.cuda.device import device
from minicnn.ops.cuda.gemm import multiply, multiply_into
from minicnn.ops.cuda.gemm_plan import plan
from minicnn.ops.cuda.winograd_transforms import (
    FILTER_THREADS,
    TILE_THREADS,
    filter_gradient,
    transform_filters,
    transform_gradient,
    transform_input,
    transform_output,
)
from minicnn.ops.window import Window

FREQUENCIES = 36

MOST_ELEMENTS = 2**30
"""Elements of V or M at most: a place in them is a number of 32 bits, and they take less memory
than the activations of so large a batch. `paper` is cut into slices from 3,237 images on."""


class Slice(NamedTuple):
    """Whole rows of tiles, counted through all images: what is transformed at a time."""

    first_row: int
    rows: int


class Tiles(NamedTuple):
    """The 4×4 tiles of outputs (N, OH, OW, ...): `down` times `across` in each image."""

    images: int
    down: int
    across: int

    def slices(self, channels: int) -> list[Slice]:
        """All rows of tiles, in as few slices of nearly one size as `MOST_ELEMENTS` allows.

        Parameters
        ----------
        channels : int
            Channels or filters, whichever is more.

        Raises
        ------
        OverflowError
            Where a single row of tiles has more than 2**32 elements.
        """
        row = FREQUENCIES * self.across * channels
        if row >= 2**32:
            raise OverflowError(
                f"winograd: expected rows of at most {(2**32 - 1) // FREQUENCIES // channels} "
                f"tiles of {channels} channels, got {self.across}; use another algorithm"
            )
        rows = self.images * self.down
        count = -(-rows // max(MOST_ELEMENTS // row, 1))
        each = -(-rows // count)
        return [Slice(first, min(each, rows - first)) for first in range(0, rows, each)]

    def place(self, part: Slice) -> tuple[np.uint64, int]:
        """The image with the first row of a slice, and which of its rows that is."""
        image, row = divmod(part.first_row, self.down)
        return np.uint64(image), row


def fits(w_shape: tuple[int, ...], window: Window) -> bool:
    """Whether this algorithm can convolve with filters w (KH, KW, C, K)."""
    return w_shape[:2] == (3, 3) and window.stride == (1, 1)


def tiles_of(outputs: tuple[int, ...]) -> Tiles:
    """The tiles of outputs (N, OH, OW, K)."""
    images, height, width, _ = outputs
    return Tiles(images, -(-height // 4), -(-width // 4))


def forward(x: DeviceArray, w: DeviceArray, b: DeviceArray | None, window: Window) -> DeviceArray:
    """y (N, OH, OW, K) = x * w + b: x (N, H, W, C), w (3, 3, C, K), b (K,) or None."""
    (top, _), (left, _) = window.padding
    y = empty((x.shape[0], *window.output_size(*x.shape[1:3]), w.shape[3]), x.dtype)
    _convolve(x, _filters(w, flipped=False), "NN", b, y, (top, left))
    return y


def input_gradient(
    dy: DeviceArray, w: DeviceArray, window: Window, x_shape: tuple[int, ...]
) -> DeviceArray:
    """dx (N, H, W, C) of dy (N, OH, OW, K): a convolution of dy with w flipped and transposed.

    The pixel (h, v) of x went into the outputs (h + top - i, v + left - j).
    """
    (top, _), (left, _) = window.padding
    dx = empty(x_shape, dy.dtype)
    _convolve(dy, _filters(w, flipped=True), "NT", None, dx, (2 - top, 2 - left))
    return dx


def weight_gradient(
    x: DeviceArray, dy: DeviceArray, window: Window, w_shape: tuple[int, ...]
) -> DeviceArray:
    """dw (3, 3, C, K) of x (N, H, W, C) and dy (N, OH, OW, K).

    Each slice of the tiles leaves some parts of dU, and the last transform adds them up.
    """
    (top, _), (left, _) = window.padding
    channels, filters = w_shape[2:]
    tiles = tiles_of(dy.shape)
    slices = tiles.slices(max(channels, filters))
    how = plan(
        FREQUENCIES, channels, filters, slices[0].rows * tiles.across, x.dtype,
        device().multiprocessors,
    )
    parts = empty((len(slices) * how.splits, FREQUENCIES, channels, filters), x.dtype)
    for number, part in enumerate(slices):
        v = _inputs(x, tiles, part, (top, left))
        m = _gradients(dy, tiles, part)
        multiply_into(parts, number * how.splits, how, v, m, "TN")
        del v, m  # the next slice takes their memory
    dw = empty(w_shape, x.dtype)
    count = channels * filters
    filter_gradient[-(-count // FILTER_THREADS)](parts, parts.shape[0], dw, count)
    return dw


def _convolve(
    x: DeviceArray, u: DeviceArray, layout: str, b: DeviceArray | None, y: DeviceArray,
    origin: tuple[int, int],
) -> None:
    """x (N, H, W, C) and U (36, C, K), or (36, K, C) in layout NT, into y (N, OH, OW, K).

    Output (p, q) sees the pixels from (p, q) - origin on; pixels outside x are 0.
    """
    tiles = tiles_of(y.shape)
    for part in tiles.slices(max(x.shape[3], y.shape[3])):
        v = _inputs(x, tiles, part, origin)
        m = multiply(v, u, layout)
        del v  # the next slice takes its memory
        _outputs(m, b, y, tiles, part)
        del m


def _filters(w: DeviceArray, *, flipped: bool) -> DeviceArray:
    """U (36, C, K) = G g Gᵀ of w (3, 3, C, K), or of its filters turned by 180°."""
    channels, filters = w.shape[2:]
    u = empty((FREQUENCIES, channels, filters), w.dtype)
    count = channels * filters
    transform_filters[-(-count // FILTER_THREADS)](w, u, count, int(flipped))
    return u


def _inputs(
    x: DeviceArray, tiles: Tiles, part: Slice, origin: tuple[int, int]
) -> DeviceArray:
    """V (36, tiles, C) = Bᵀ d B of a slice of the tiles."""
    _, height, width, channels = x.shape
    count = part.rows * tiles.across
    v = empty((FREQUENCIES, count, channels), x.dtype)
    together = _together(x)
    transform_input(together)[_blocks(count, channels, together)](
        x, v, count, *tiles.place(part), height, width, channels, tiles.down, tiles.across,
        *(offset % 2**32 for offset in origin),
    )
    return v


def _outputs(
    m: DeviceArray, b: DeviceArray | None, y: DeviceArray, tiles: Tiles, part: Slice
) -> None:
    """y (N, OH, OW, K) = Aᵀ M A + b at a slice of the tiles."""
    _, height, width, filters = y.shape
    count, together = part.rows * tiles.across, _together(y)
    transform_output(together)[_blocks(count, filters, together)](
        m, m if b is None else b, int(b is not None), y, count, *tiles.place(part), height, width,
        filters, tiles.down, tiles.across,
    )


def _gradients(dy: DeviceArray, tiles: Tiles, part: Slice) -> DeviceArray:
    """M (36, tiles, K) = A dy Aᵀ of a slice of the tiles."""
    _, height, width, filters = dy.shape
    count, together = part.rows * tiles.across, _together(dy)
    m = empty((FREQUENCIES, count, filters), dy.dtype)
    transform_gradient(together)[_blocks(count, filters, together)](
        dy, m, count, *tiles.place(part), height, width, filters, tiles.down, tiles.across
    )
    return m


def _together(images: DeviceArray) -> int:
    """Channels a thread: four, where four lie on 16 bytes and 36 of each fit into registers."""
    return 4 if images.shape[3] % 4 == 0 and images.dtype.itemsize == 4 else 1


def _blocks(tiles: int, channels: int, together: int) -> int:
    """Blocks of a transform of so many tiles."""
    return -(-tiles * (channels // together) // TILE_THREADS)
