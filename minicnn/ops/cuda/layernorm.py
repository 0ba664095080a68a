"""Layer normalisation, computed on the host by the reference."""

import dataclasses

import numpy as np

from minicnn.ops.cuda.array import asarray
from minicnn.ops.reference import layernorm as host


def layernorm_forward(x, gamma, beta, *, eps):
    """y and the cache, on the device."""
    arrays = map(np.asarray, (x, gamma, beta))
    y, cache = host.layernorm_forward(*arrays, eps=eps)
    kept = {"mean": cache.mean, "inverse_std": cache.inverse_std}
    there = {name: asarray(array, array.dtype) for name, array in kept.items()}
    return asarray(y, y.dtype), dataclasses.replace(cache, x=x, gamma=gamma, **there)


def layernorm_backward(dy, cache):
    """dx, dgamma and dbeta, on the device."""
    names = ("x", "gamma", "mean", "inverse_std")
    here = {name: np.asarray(getattr(cache, name)) for name in names}
    gradients = host.layernorm_backward(np.asarray(dy), dataclasses.replace(cache, **here))
    return tuple(asarray(array, array.dtype) for array in gradients)
