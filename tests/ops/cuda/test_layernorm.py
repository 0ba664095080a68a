"""Layer normalisation on the device is group normalisation of one group, tested there."""

import numpy as np
import pytest
from numeric import DTYPES, assert_close, random_like

from minicnn.ops import cuda, reference


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 5, 6), (2, 259)], ids=str)
def test_against_the_reference(shape: tuple, dtype: type) -> None:
    rng = np.random.default_rng(0)
    x, gamma, beta = (rng.standard_normal(s).astype(dtype) for s in (shape, *[shape[-1]] * 2))
    y, cache = cuda.layernorm_forward(x, gamma, beta)
    wanted_y, wanted = reference.layernorm_forward(x, gamma, beta)
    assert_close(np.asarray(y), wanted_y)
    assert cache.mean.shape == cache.inverse_std.shape == (shape[0],)
    dy = random_like(rng, x)
    scales = (np.abs(gamma).max() * wanted.inverse_std.max() * np.abs(dy).max(),
              *[np.abs(dy).sum()] * 2)
    for there in (cache, wanted):
        for got, right, scale in zip(cuda.layernorm_backward(dy, there),
                                     reference.layernorm_backward(dy, wanted), scales, strict=True):
            assert_close(np.asarray(got), right, scale=scale)
