"""Batch norm's backward, term by term, against a central difference.

Shows what each of the three terms contributes to one element of dx, and why a check must not choose
an upstream gradient of ones: the right dx is then 0, and a missing variance term is invisible.

    python examples/batchnorm_by_hand.py
"""

import numpy as np

from minicnn.ops.reference import batchnorm_backward, batchnorm_forward

rng = np.random.default_rng(0)
x, dy = rng.standard_normal((5, 3)), rng.standard_normal((5, 3))  # (N, C)
gamma, beta = np.array([0.5, 2.0, -1.5]), np.zeros(3)


def forward(x):
    """y of a training batch; the running statistics are thrown away."""
    return batchnorm_forward(x, gamma, beta, np.zeros(3), np.ones(3), training=True)


_, cache = forward(x)
normalized = (x - cache.mean) * cache.inverse_std  # x̂
scale = gamma * cache.inverse_std  # γ · r
terms = {
    "term 1, direct": scale * dy,
    "term 2, through the mean": -scale * np.ones_like(x) * dy.mean(0),
    "term 3, through the variance": -scale * normalized * (dy * normalized).mean(0),
}

step, at = 1e-6, (2, 1)
above, below = x.copy(), x.copy()
above[at] += step
below[at] -= step
measured = (dy * (forward(above)[0] - forward(below)[0])).sum() / (2 * step)

for name, term in terms.items():
    print(f"{name:30} {term[at]:+.8f}")
print(f"{'their sum':30} {sum(term[at] for term in terms.values()):+.8f}")
print(f"{'batchnorm_backward':30} {batchnorm_backward(dy, cache)[0][at]:+.8f}")
print(f"{'central difference':30} {measured:+.8f}")

ones = batchnorm_backward(np.ones_like(dy), cache)[0]
lost = scale * normalized * normalized.mean(0)  # term 3 for dy = 1
print(f"\nwith dy = 1 everywhere dx is {np.abs(ones).max():.0e} at most, and term 3 "
      f"{np.abs(lost).max():.0e}: a check with this dy would not notice that it is missing")
