"""Group normalisation (Wu and He 2018, arXiv:1803.08494)."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from minicnn import validation
from minicnn.ops import arguments
from minicnn.ops.backend import bodies, operation


@dataclass(frozen=True, slots=True, eq=False)
class GroupNormCache:
    """What `groupnorm_forward` keeps: x (N, ..., C), gamma (C,), and the statistics of each group.

    ``mean`` and ``inverse_std`` (N, G) are float64.
    """

    x: np.ndarray
    gamma: np.ndarray
    mean: np.ndarray
    inverse_std: np.ndarray

    @property
    def y_shape(self) -> tuple[int, ...]:
        """(N, ..., C)."""
        return self.x.shape

    @property
    def dtype(self) -> np.dtype:
        """Of y."""
        return self.x.dtype


@operation
def groupnorm_forward(
    x: Any, gamma: Any, beta: Any, *, groups: int, eps: float = 1e-5
) -> tuple[np.ndarray, GroupNormCache]:
    """Normalise groups of channels of every sample, then scale and shift every channel.

    ``x̂ = (x - μ) / sqrt(σ² + eps)``, ``y = gamma · x̂ + beta`` (equations 1 and 6 of the paper).
    The C channels are cut into G groups of C / G neighbours; μ and σ² are the mean and the biased
    variance of one group of one sample, over all pixels (equations 2 and 7). One group of all
    channels is layer norm; a group for each channel is instance norm. Samples know nothing of each
    other, so that training and evaluation are the same.

    Parameters
    ----------
    x : array_like (N, ..., C)
        Images or features, channels last; at least two values a group of a sample.
    gamma, beta : array_like (C,)
        Scale and shift.
    groups : int
        G; it divides C.
    eps : float > 0, default 1e-5
        Keeps the root away from 0.

    Returns
    -------
    y : ndarray (N, ..., C)
        float64 if x, gamma or beta is a wider float than float32, else float32.
    cache : GroupNormCache
        For `groupnorm_backward`.

    Raises
    ------
    TypeError
        Where an input does not hold real numbers, groups is no whole number, or eps is no number.
    ValueError
        Where an input is empty, shapes do not agree, groups does not divide C, eps is out of range,
        or a group of a sample has a single value.
    """
    x, gamma, beta = arguments.floats("groupnorm", x=x, gamma=gamma, beta=beta)
    arguments.per_channel("groupnorm", x, gamma=gamma, beta=beta)
    groups = validation.divisor("groupnorm", "groups", groups, x.shape[-1], "channels")
    eps = validation.number("groupnorm", "eps", eps, 0, ends="()")
    if x.size == x.shape[0] * groups:  # x - μ would be 0, and y beta whatever x is
        raise ValueError(
            f"groupnorm: a group needs at least two values, whose variance is taken, "
            f"got one (x {x.shape}, groups {groups}); take fewer groups"
        )
    return bodies().groupnorm_forward(x, gamma, beta, groups=groups, eps=eps)


@operation
def groupnorm_backward(
    dy: Any, cache: GroupNormCache
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients of group normalisation.

    With g = gamma · dy, the gradient of x̂, r = 1 / sqrt(σ² + eps), and means over a group of a
    sample::

        dx = r · (g - mean(g) - x̂ · mean(g · x̂))

    Term 1 is the direct path, term 2 the path through μ, term 3 the path through σ². gamma stands
    inside the means, since it differs from channel to channel of a group.

    Parameters
    ----------
    dy : array_like (N, ..., C)
        Gradient of the loss with respect to y.
    cache : GroupNormCache
        From `groupnorm_forward`.

    Returns
    -------
    dx : ndarray (N, ..., C), y's dtype
    dgamma, dbeta : ndarray (C,), y's dtype
        Sums over all axes but the channels, the samples among them.

    Raises
    ------
    TypeError
        Where dy does not hold real numbers, or the cache is another operation's.
    ValueError
        Where dy has not y's shape.
    """
    dy, cache = arguments.upstream("groupnorm_backward", dy, cache, GroupNormCache)
    return bodies().groupnorm_backward(dy, cache)
