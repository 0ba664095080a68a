"""Batch normalisation (Ioffe and Szegedy 2015, arXiv:1502.03167)."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from minicnn import validation
from minicnn.ops import arguments
from minicnn.ops.backend import backend, bodies, operation


@dataclass(frozen=True, slots=True, eq=False)
class BatchNormCache:
    """What `batchnorm_forward` keeps: x (..., C), gamma (C,), and the statistics that normalised x.

    ``mean`` and ``inverse_std`` (C,), float64, are the batch's in training mode, the running ones
    otherwise.
    """

    x: np.ndarray
    gamma: np.ndarray
    mean: np.ndarray
    inverse_std: np.ndarray
    training: bool

    @property
    def y_shape(self) -> tuple[int, ...]:
        """(N, ..., C)."""
        return self.x.shape

    @property
    def dtype(self) -> np.dtype:
        """Of y."""
        return self.x.dtype


@operation
def batchnorm_forward(
    x: Any, gamma: Any, beta: Any, running_mean: np.ndarray, running_var: np.ndarray, *,
    training: bool, momentum: float = 0.9, eps: float = 1e-5, unbiased_running_var: bool = False,
) -> tuple[np.ndarray, BatchNormCache]:
    """Normalise every channel over all other axes, then scale and shift it.

    ``x̂ = (x - μ) / sqrt(σ² + eps)``, ``y = gamma · x̂ + beta`` (algorithm 1 of the paper). In
    training μ and σ² are the batch's mean and biased variance, and the running ones move towards
    them: ``running = momentum · running + (1 - momentum) · batch``. Otherwise μ and σ² are the
    running ones (as in algorithm 2, whose variance has the divisor m - 1).

    Parameters
    ----------
    x : array_like (N, ..., C)
        Images or features, channels last. Training needs at least two values a channel.
    gamma, beta : array_like (C,)
        Scale and shift.
    running_mean, running_var : ndarray (C,), any float dtype
        Updated in place in training mode.
    training : bool
        Which statistics normalise.
    momentum : float in [0, 1], default 0.9
        Weight of the old running value.
    eps : float > 0, default 1e-5
        Keeps the root away from 0.
    unbiased_running_var : bool, default False
        Let ``running_var`` follow the variance with divisor m - 1, as the paper's algorithm 2 and
        PyTorch do; m is the number of values per channel.

    Returns
    -------
    y : ndarray (N, ..., C)
        float64 if x, gamma or beta is a wider float than float32, else float32; the running arrays
        have no say.
    cache : BatchNormCache
        For `batchnorm_backward`.

    Raises
    ------
    TypeError
        Where an input does not hold real numbers, a running array is no float ndarray, or momentum
        or eps is no number.
    ValueError
        Where an input is empty, shapes do not agree, momentum or eps is out of range, or, in
        training, a running array is read-only or a channel has a single value.
    """
    x, gamma, beta = arguments.floats("batchnorm", x=x, gamma=gamma, beta=beta)
    arguments.per_channel("batchnorm", x, gamma=gamma, beta=beta)
    channels = x.shape[-1]
    mean_here = _running("running_mean", running_mean, channels, changed=bool(training))
    var_here = _running("running_var", running_var, channels, changed=bool(training))
    momentum = validation.number("batchnorm", "momentum", momentum, 0, 1)
    eps = validation.number("batchnorm", "eps", eps, 0, ends="()")
    if training and x.size == channels:
        # x - μ would be 0, y beta and dx 0 whatever x is, and the running variance would sink
        raise ValueError(
            "batchnorm: training needs at least two values a channel, whose variance is taken, "
            f"got one (x {x.shape}); take a batch of two or more, or training=False"
        )
    result = bodies().batchnorm_forward(
        x, gamma, beta, mean_here, var_here, training=bool(training), momentum=momentum,
        eps=eps, unbiased_running_var=bool(unbiased_running_var),
    )
    if training:
        arguments.give_back(running_mean, mean_here)
        arguments.give_back(running_var, var_here)
    return result


@operation
def batchnorm_backward(
    dy: Any, cache: BatchNormCache
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients of batch normalisation, of either mode.

    With r = 1 / sqrt(σ² + eps) and means over the batch (the paper's section 3, simplified)::

        dx = gamma · r · (dy - mean(dy) - x̂ · mean(dy · x̂))

    Term 1 is the direct path, term 2 the path through μ, term 3 the path through σ². In evaluation
    mode μ and σ² are constants and only term 1 is there.

    Parameters
    ----------
    dy : array_like (N, ..., C)
        Gradient of the loss with respect to y.
    cache : BatchNormCache
        From `batchnorm_forward`.

    Returns
    -------
    dx : ndarray (N, ..., C), y's dtype
    dgamma, dbeta : ndarray (C,), y's dtype

    Raises
    ------
    TypeError
        Where dy does not hold real numbers, or the cache is another operation's.
    ValueError
        Where dy has not y's shape.
    """
    dy, cache = arguments.upstream("batchnorm_backward", dy, cache, BatchNormCache)
    return bodies().batchnorm_backward(dy, cache)


def _running(name: str, array: Any, channels: int, *, changed: bool) -> Any:
    """A running statistic where the backend computes: the caller's own array, if it is there."""
    if not arguments.is_array(array) or array.dtype.kind != "f":
        raise TypeError(
            f"batchnorm: {name} must be a float array, to be updated in place, "
            f"got {getattr(array, 'dtype', type(array).__name__)}"
        )
    arguments.vector("batchnorm", name, array, channels, "one value a channel of x")
    if changed and isinstance(array, np.ndarray) and not array.flags.writeable:
        raise ValueError(f"batchnorm: {name} is read-only, but training updates it in place")
    return backend().asarray(array, arguments.working_dtype(array))
