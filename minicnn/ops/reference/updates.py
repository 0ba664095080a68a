"""One step of an optimizer on all parameters, one after the other.

In the formulas w is a parameter and g stands for scale · g + decay · w; all arrays of a parameter
have one shape. w and the optimizer's own arrays change in place; g stays.
"""

import numpy as np


def sgd_update(weights, gradients, velocities, *, lr, momentum, nesterov, scale, decays):
    """v = momentum · v + g; w -= lr · v, or with Nesterov w -= lr · (g + momentum · v)."""
    for w, g, v, decay in zip(weights, gradients, velocities, decays, strict=True):
        g = _penalized(w, g, scale, decay)
        v *= momentum
        v += g
        w -= lr * (g + momentum * v if nesterov else v)


def rmsprop_update(weights, gradients, squares, *, lr, smoothing, eps, scale, decays):
    """s = smoothing · s + (1 - smoothing) · g²; w -= lr · g / (sqrt(s) + eps)."""
    for w, g, s, decay in zip(weights, gradients, squares, decays, strict=True):
        g = _penalized(w, g, scale, decay)
        s *= smoothing
        s += (1 - smoothing) * np.square(g)
        w -= lr * g / (np.sqrt(s) + eps)


def adam_update(
    weights, gradients, means, squares, *, lr, beta1, beta2, eps, step, scale, decays, shrinks
):
    """m = β₁ · m + (1 - β₁) · g; s = β₂ · s + (1 - β₂) · g²; w -= lr · m̂ / (sqrt(ŝ) + eps).

    m̂ = m / (1 - β₁ᵗ) and ŝ = s / (1 - β₂ᵗ) correct for the start at 0; t is `step`. AdamW first
    does w -= shrink · w.
    """
    # the corrections of m̂ and ŝ are numbers: apply them to lr and eps, not to the arrays
    correction = float(np.sqrt(1 - beta2**step))
    rows = zip(weights, gradients, means, squares, decays, shrinks, strict=True)
    for w, g, m, s, decay, shrink in rows:
        w *= 1 - shrink
        g = _penalized(w, g, scale, decay)
        m *= beta1
        m += (1 - beta1) * g
        s *= beta2
        s += (1 - beta2) * np.square(g)
        w -= lr * correction / (1 - beta1**step) * m / (np.sqrt(s) + eps * correction)


def average_update(averages, weights, rate):
    """average += rate · (w - average); rate is 1 minus the decay of the average."""
    for average, w in zip(averages, weights, strict=True):
        difference = w - average
        difference *= rate
        average += difference


def _penalized(w, g, scale, decay):
    """scale · g + decay · w: the clipped gradient plus that of the penalty ½ · decay · ‖w‖²."""
    if scale != 1:
        g = scale * g
    return g + decay * w if decay else g
