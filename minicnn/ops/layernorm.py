"""Layer normalisation (Ba, Kiros and Hinton 2016, arXiv:1607.06450)."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from minicnn import validation
from minicnn.ops import arguments
from minicnn.ops.backend import bodies, operation


@dataclass(frozen=True, slots=True, eq=False)
class LayerNormCache:
    """What `layernorm_forward` keeps: x (N, ..., C), gamma (C,), and the statistics of each sample.

    ``mean`` and ``inverse_std`` (N,) are float64.
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
def layernorm_forward(
    x: Any, gamma: Any, beta: Any, *, eps: float = 1e-5
) -> tuple[np.ndarray, LayerNormCache]:
    """Normalise every sample over all its values, then scale and shift every channel.

    ``x̂ = (x - μ) / sqrt(σ² + eps)``, ``y = gamma · x̂ + beta`` (equations 3 and 4 of the paper). μ
    and σ² are a sample's own mean and biased variance: over D where x is (N, D), over H, W and C
    where x is (N, H, W, C), as in figure 2 of Wu and He 2018, arXiv:1803.08494. Samples know
    nothing of each other, so that training and evaluation are the same.

    Parameters
    ----------
    x : array_like (N, ..., C)
        Images or features, channels last; at least two values a sample.
    gamma, beta : array_like (C,)
        Scale and shift.
    eps : float > 0, default 1e-5
        Keeps the root away from 0.

    Returns
    -------
    y : ndarray (N, ..., C)
        float64 if x, gamma or beta is a wider float than float32, else float32.
    cache : LayerNormCache
        For `layernorm_backward`.

    Raises
    ------
    TypeError
        Where an input does not hold real numbers, or eps is no number.
    ValueError
        Where an input is empty, shapes do not agree, eps is out of range, or a sample has a single
        value.

    Notes
    -----
    To normalise every pixel by itself, over its channels alone, reshape x to (-1, C) first.
    """
    x, gamma, beta = arguments.floats("layernorm", x=x, gamma=gamma, beta=beta)
    arguments.per_channel("layernorm", x, gamma=gamma, beta=beta)
    eps = validation.number("layernorm", "eps", eps, 0, ends="()")
    if x.size == x.shape[0]:  # x - μ would be 0, and y beta whatever x is
        raise ValueError(
            f"layernorm: a sample needs at least two values, whose variance is taken, "
            f"got one (x {x.shape})"
        )
    return bodies().layernorm_forward(x, gamma, beta, eps=eps)


@operation
def layernorm_backward(
    dy: Any, cache: LayerNormCache
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients of layer normalisation.

    With g = gamma · dy, the gradient of x̂, r = 1 / sqrt(σ² + eps), and means over a sample::

        dx = r · (g - mean(g) - x̂ · mean(g · x̂))

    Term 1 is the direct path, term 2 the path through μ, term 3 the path through σ². gamma stands
    inside the means, since it differs from value to value of a sample.

    Parameters
    ----------
    dy : array_like (N, ..., C)
        Gradient of the loss with respect to y.
    cache : LayerNormCache
        From `layernorm_forward`.

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
    dy, cache = arguments.upstream("layernorm_backward", dy, cache, LayerNormCache)
    return bodies().layernorm_backward(dy, cache)
