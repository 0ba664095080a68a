"""Dropout (Srivastava et al. 2014, *JMLR* 15, 1929-1958)."""

from typing import Any

import numpy as np

from minicnn.ops import arguments
from minicnn.ops.caches import DropoutCache


def dropout_forward(
    x: Any, *, rate: float, training: bool, rng: np.random.Generator | None
) -> tuple[np.ndarray, DropoutCache]:
    """Drop each element with probability `rate` in training, and scale the rest to keep the mean.

    ``y = x · kept / (1 - rate)`` in training ("inverted" dropout), ``y = x`` otherwise.

    Parameters
    ----------
    x : array_like, any shape
    rate : float in [0, 1)
        Probability of dropping an element.
    training : bool
        Whether anything is dropped at all.
    rng : numpy.random.Generator or None
        Draws one float32 uniform number an element; not used, and may be None, where nothing is
        dropped.

    Returns
    -------
    y : ndarray of x's shape
        float64 if x is a wider float than float32, else float32.
    cache : DropoutCache
        For `dropout_backward`.

    Raises
    ------
    TypeError
        Where x does not hold real numbers, rate is no number, or rng is no Generator but needed.
    ValueError
        Where rate is out of range, or x is empty.
    """
    x, rate = arguments.dropout(x, rate, rng, training)
    if not training or rate == 0:
        return x.copy(), DropoutCache(None, 1.0, x.shape, x.dtype)
    kept = np.asarray(rng.random(x.shape, dtype=np.float32) >= rate)  # type: ignore[union-attr]
    cache = DropoutCache(kept, 1 / (1 - rate), x.shape, x.dtype)
    return np.where(kept, x * cache.scale, x.dtype.type(0)), cache


def dropout_backward(dy: Any, cache: DropoutCache) -> np.ndarray:
    """Gradient of `dropout_forward`: ``dx = dy · kept / (1 - rate)``, with the same elements kept.

    Parameters
    ----------
    dy : array_like of y's shape
        Gradient of the loss with respect to y.
    cache : DropoutCache
        From `dropout_forward`.

    Returns
    -------
    dx : ndarray of x's shape, y's dtype

    Raises
    ------
    TypeError
        Where dy does not hold real numbers, or the cache is another operation's.
    ValueError
        Where dy has not y's shape.
    """
    cache = arguments.cache_of("dropout_backward", cache, DropoutCache)
    dy = arguments.upstream("dropout_backward", dy, cache.shape, cache.dtype)
    if cache.kept is None:
        return dy.copy()
    return np.where(cache.kept, dy * cache.scale, dy.dtype.type(0))
