"""The flattening before a dense layer."""

import numpy as np

from minicnn import layers


def test_it_is_row_major() -> None:
    x = np.arange(24.0).reshape(2, 2, 3, 2)
    layer = layers.Flatten()
    np.testing.assert_array_equal(layer.forward(x), np.arange(24.0).reshape(2, 12))
    np.testing.assert_array_equal(layer.backward(np.arange(24.0).reshape(2, 12)), x)


def test_it_does_not_overflow() -> None:
    assert layers.Flatten().output_shape((2**40, 2**40)) == (2**80,)
