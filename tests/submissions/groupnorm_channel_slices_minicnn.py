"""minicnn dialect: group norm by slices of channels and np.split, in plain sums."""

import numpy as np


def groupnorm_forward(x, gamma, beta, *, groups, eps=1e-5):
    x = np.asarray(x)
    normal, roots = [], []
    for part in np.split(x, groups, axis=-1):
        axes = tuple(range(1, part.ndim))
        m = np.prod(part.shape[1:])
        mu = part.sum(axes, keepdims=True) / m
        second = (part**2).sum(axes, keepdims=True) / m
        root = np.sqrt(second - mu**2 + eps)
        normal.append((part - mu) / root)
        roots.append(root)
    return gamma * np.concatenate(normal, axis=-1) + beta, (normal, roots, gamma)


def groupnorm_backward(dy, cache):
    normal, roots, gamma = cache
    pieces = []
    for part, z, root in zip(np.split(dy * gamma, len(roots), axis=-1), normal, roots):
        axes = tuple(range(1, part.ndim))
        m = np.prod(part.shape[1:])
        first = part.sum(axes, keepdims=True)
        second = np.sum(part * z, axes, keepdims=True)
        pieces.append((m * part - first - z * second) / (m * root))
    every = tuple(range(dy.ndim - 1))
    dgamma = np.sum(dy * np.concatenate(normal, axis=-1), axis=every)
    return np.concatenate(pieces, axis=-1), dgamma, np.sum(dy, axis=every)
