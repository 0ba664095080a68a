"""Dropout (Srivastava et al. 2014, *JMLR* 15, 1929-1958)."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from minicnn import validation
from minicnn.ops import arguments
from minicnn.ops.backend import bodies, operation


@dataclass(frozen=True, slots=True, eq=False)
class DropoutCache:
    """What `dropout_forward` keeps: where elements were kept, bool, and their factor.

    ``kept`` is None where dropout was the identity.
    """

    kept: np.ndarray | None
    scale: float
    shape: tuple[int, ...]
    dtype: np.dtype

    @property
    def y_shape(self) -> tuple[int, ...]:
        """Any."""
        return self.shape


@operation
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
        Decides what is dropped: it draws one float32 uniform number an element, or on a GPU the
        seed of its numbers. Not used, and may be None, where nothing is dropped.

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
    (x,) = arguments.floats("dropout", x=x)
    rate = validation.number("dropout", "rate", rate, 0, 1, ends="[)")
    if training and rate > 0 and not isinstance(rng, np.random.Generator):
        raise TypeError(
            f"dropout: rng must be a numpy.random.Generator, got {type(rng).__name__}"
        )
    return bodies().dropout_forward(x, rate, bool(training), rng)


@operation
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
    dy, cache = arguments.upstream("dropout_backward", dy, cache, DropoutCache)
    return bodies().dropout_backward(dy, cache)
