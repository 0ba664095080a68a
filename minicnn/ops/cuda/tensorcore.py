"""Convolution on tensor cores, in TF32: `implicit` with factors rounded to 10 bits of fraction.

Each factor is off by up to 2⁻¹¹ of itself, so a product by 2⁻¹⁰; sums are float32. Over random
arrays y, dx and dw are off by 3e-4, root mean square, relative, against float64. (The interpreter
counts so; a tensor core may add in an order, and round a sum, in its own way.) Numbers within 2⁻¹²
of the greatest float32 become infinite. So this is for training and for comparisons, never for
checking gradients, and is never chosen by itself: ``cuda.convolutions("auto", tf32=True)`` asks for
it.
"""

from typing import Any

import numpy as np

from minicnn.ops.cuda import implicit
from minicnn.ops.cuda.array import DeviceArray
from minicnn.ops.cuda.compile import Kernel
from minicnn.ops.cuda.implicit import Multiplier
from minicnn.ops.cuda.implicit_plan import TileOnChip
from minicnn.ops.cuda.tensorcore_kernel import PIECE, TILES, product_kernel
from minicnn.ops.window import Window

FIRST_CAPABILITY = (8, 0)
"""GPUs of this compute capability, and later ones, multiply TF32 and copy asynchronously."""


def fits(dtype: Any, w_shape: tuple[int, ...], capability: tuple[int, int]) -> bool:
    """Whether arrays of this dtype and w (KH, KW, C, K) suit: copies are of 16 bytes, float32."""
    _, _, channels, filters = w_shape
    whole = channels % PIECE == filters % PIECE == 0
    return whole and dtype == np.float32 and capability >= FIRST_CAPABILITY


def _kernel(source: str, chip: TileOnChip, x_piece: int, piece: int) -> Kernel:
    """As `implicit_kernel.product_kernel`; where `fits`, both pieces are 4."""
    return product_kernel(source, chip)


TENSOR_CORES = Multiplier(_kernel, TILES)


def forward(x: DeviceArray, w: DeviceArray, b: DeviceArray | None, window: Window) -> DeviceArray:
    """y = cols @ w + b: x (N, H, W, C), w (KH, KW, C, K), b (K,) or None -> y (N, OH, OW, K)."""
    return implicit.forward(x, w, b, window, TENSOR_CORES)


def input_gradient(
    dy: DeviceArray, w: DeviceArray, window: Window, x_shape: tuple[int, ...]
) -> DeviceArray:
    """dy (N, OH, OW, K), w (KH, KW, C, K) -> dx (N, H, W, C)."""
    return implicit.input_gradient(dy, w, window, x_shape, TENSOR_CORES)


def weight_gradient(
    x: DeviceArray, dy: DeviceArray, window: Window, w_shape: tuple[int, ...]
) -> DeviceArray:
    """dw = colsᵀ @ dy: x (N, H, W, C), dy (N, OH, OW, K) -> dw (KH, KW, C, K)."""
    return implicit.weight_gradient(x, dy, window, w_shape, TENSOR_CORES)
