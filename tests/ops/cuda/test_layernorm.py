"""Layer normalisation on the device: against the reference."""

import numpy as np
import pytest
from numeric import random_like

from minicnn.ops import cuda, reference


@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 5, 6)], ids=str)
def test_against_the_reference(shape: tuple) -> None:
    rng = np.random.default_rng(0)
    x, gamma, beta = rng.standard_normal(shape), *rng.standard_normal((2, shape[-1]))
    y, cache = cuda.layernorm_forward(x, gamma, beta)
    wanted_y, wanted = reference.layernorm_forward(x, gamma, beta)
    np.testing.assert_allclose(np.asarray(y), wanted_y, rtol=1e-12, atol=1e-13)
    dy = random_like(rng, x)
    for got, right in zip(cuda.layernorm_backward(dy, cache),
                          reference.layernorm_backward(dy, wanted), strict=True):
        np.testing.assert_allclose(np.asarray(got), right, rtol=1e-12, atol=1e-12)
