"""Dropout: the generator draws, one threaded pass applies."""

from typing import Any

import numpy as np

from minicnn.ops import arguments
from minicnn.ops.caches import DropoutCache
from minicnn.ops.cpu.masks import masked_scale


def dropout_forward(
    x: Any, *, rate: float, training: bool, rng: np.random.Generator | None
) -> tuple[np.ndarray, DropoutCache]:
    """``y = x · kept / (1 - rate)`` in training, else x. As `minicnn.ops.dropout_forward`.

    x and y have any shape; the reference keeps the same elements for the same generator.
    """
    x, rate = arguments.dropout(x, rate, rng, training)
    if not training or rate == 0:
        return x.copy(), DropoutCache(None, 1.0, x.shape, x.dtype)
    kept = np.asarray(rng.random(x.shape, dtype=np.float32) >= rate)  # type: ignore[union-attr]
    cache = DropoutCache(kept, 1 / (1 - rate), x.shape, x.dtype)
    return masked_scale(x, kept, cache.scale), cache


def dropout_backward(dy: Any, cache: DropoutCache) -> np.ndarray:
    """``dx = dy · kept / (1 - rate)``. As `minicnn.ops.dropout_backward`."""
    cache = arguments.cache_of("dropout_backward", cache, DropoutCache)
    dy = arguments.upstream("dropout_backward", dy, cache.shape, cache.dtype)
    return dy.copy() if cache.kept is None else masked_scale(dy, cache.kept, cache.scale)
