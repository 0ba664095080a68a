"""Copies of images, against comparing each with each."""

import numpy as np

from minicnn.data.copies import image_numbers, stands_in

RNG = np.random.default_rng(8)
FEW = RNG.integers(0, 2, (40, 1, 3), np.uint8)  # eight different images
OTHERS = RNG.integers(0, 2, (5, 1, 3), np.uint8)


def test_numbers_are_equal_where_all_pixels_are():
    first, second = image_numbers(FEW, OTHERS)
    images = np.concatenate([FEW, OTHERS])
    same = (images[:, None] == images[None]).all((2, 3))
    numbers = np.concatenate([first, second])
    np.testing.assert_array_equal(numbers[:, None] == numbers[None], same)
    assert list(dict.fromkeys(numbers)) == list(range(len(set(numbers))))


def test_which_images_stand_among_others():
    expected = [any((image == other).all() for other in OTHERS) for image in FEW]
    assert 0 < sum(expected) < len(FEW)
    np.testing.assert_array_equal(stands_in(FEW, OTHERS), expected)


def test_nothing_stands_among_none():
    assert stands_in(FEW, FEW[:0]).tolist() == [False] * len(FEW)
    assert stands_in(FEW[:0], FEW).shape == (0,)
