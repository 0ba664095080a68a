"""Random changes of a batch: drawn within their bounds, applied as a plain loop would."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from minicnn.data.augmentation import Augmentation, Changes, apply

EVERYTHING = Augmentation(flip=True, shift=0.2, rotate=30, scale=0.3, brightness=0.5, erase=0.5)


def pictures(*shape, dtype=np.float64, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def unchanged(count, **different):
    """No change of `count` pictures, but for the given fields, the same for each picture."""
    nothing = {"flip": False, "scale": 1.0, "angle": 0.0, "shift": (0.0, 0.0), "brightness": 0.0,
               "box": (0, 0, 0, 0)}
    assert set(nothing) == {field.name for field in fields(Changes)}
    return Changes(**{name: np.array([value] * count)
                      for name, value in (nothing | different).items()})


def sample_slowly(image, y, x):
    """The value between four pixels, by the definition; outside, the nearest pixel's."""
    height, width, _ = image.shape
    total = 0.0
    for row in (np.floor(y), np.floor(y) + 1):
        for column in (np.floor(x), np.floor(x) + 1):
            weight = (1 - abs(y - row)) * (1 - abs(x - column))
            total = total + weight * image[int(np.clip(row, 0, height - 1)),
                                           int(np.clip(column, 0, width - 1))]
    return total


def apply_slowly(images, changes):
    """The forward map, matrix by matrix in homogeneous (x, y, 1), inverted by linear algebra."""
    results = np.empty_like(images)
    _, height, width, channels = images.shape
    for n, image in enumerate(images):
        cosine, sine = np.cos(changes.angle[n]), np.sin(changes.angle[n])
        down, right = changes.shift[n]
        to_centre = np.array([[1, 0, -(width - 1) / 2], [0, 1, -(height - 1) / 2], [0, 0, 1]])
        mirror = np.diag([-1.0 if changes.flip[n] else 1.0, 1, 1])
        resize = np.diag([changes.scale[n], changes.scale[n], 1])
        turn = np.array([[cosine, sine, 0], [-sine, cosine, 0], [0, 0, 1]])
        move = np.array([[1, 0, right], [0, 1, down], [0, 0, 1]])
        forward = move @ np.linalg.inv(to_centre) @ turn @ resize @ mirror @ to_centre
        backward = np.linalg.inv(forward)
        for row in range(height):
            for column in range(width):
                x, y, _ = backward @ (column, row, 1)
                results[n, row, column] = sample_slowly(image, y, x) + changes.brightness[n]
        top, left, bottom, end = changes.box[n]
        if top < bottom and left < end:
            mean = results[n].reshape(-1, channels).mean(axis=0)
            results[n, top:bottom, left:end] = mean
    return results


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.integers(0, 3), st.integers(1, 9), st.integers(1, 9), st.integers(1, 3),
       st.integers(0, 2**32))
def test_it_does_what_a_plain_loop_does(count, height, width, channels, seed):
    images = pictures(count, height, width, channels, seed=seed)
    changes = EVERYTHING.draw(count, height, width, np.random.default_rng(seed))
    np.testing.assert_allclose(
        apply(images, changes), apply_slowly(images, changes), rtol=0, atol=1e-9
    )


def test_float32_pictures_come_out_as_float64_ones_do():
    images = pictures(4, 11, 8, 2)
    changes = EVERYTHING.draw(4, 11, 8, np.random.default_rng(3))
    single = apply(images.astype(np.float32), changes)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, apply(images, changes), rtol=0, atol=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nothing_enabled_gives_an_identical_copy(dtype):
    images = pictures(3, 7, 6, 2, dtype=dtype)
    same = Augmentation()(images, np.random.default_rng(0))
    assert same.dtype == dtype
    assert not np.shares_memory(same, images)
    np.testing.assert_array_equal(same, images)


@pytest.mark.parametrize("width", [1, 6, 7])
def test_a_flip_mirrors_left_and_right_exactly(width):
    images = pictures(2, 5, width, 3)
    np.testing.assert_array_equal(apply(images, unchanged(2, flip=True)), images[:, :, ::-1])


@pytest.mark.parametrize(("down", "right"), [(2, 0), (0, -3), (-1, 4), (-20, 20)])
def test_a_shift_by_whole_pixels_is_exact_and_repeats_the_edge(down, right):
    images = pictures(2, 8, 7, 1)
    rows = np.clip(np.arange(8) - down, 0, 7)
    columns = np.clip(np.arange(7) - right, 0, 6)
    np.testing.assert_array_equal(
        apply(images, unchanged(2, shift=(down, right))), images[:, rows][:, :, columns]
    )


def test_half_a_pixel_is_the_mean_of_two():
    images = pictures(1, 4, 6, 1)
    moved = apply(images, unchanged(1, shift=(0, 0.5)))
    np.testing.assert_allclose(moved[:, :, 1:], (images[:, :, 1:] + images[:, :, :-1]) / 2)


@pytest.mark.parametrize("quarters", [-1, 1, 2])
@pytest.mark.parametrize("size", [8, 9])
def test_quarter_turns_are_those_of_rot90(quarters, size):
    images = pictures(2, size, size, 2)
    turned = apply(images, unchanged(2, angle=quarters * np.pi / 2))
    np.testing.assert_allclose(turned, np.rot90(images, quarters, axes=(1, 2)), atol=1e-12)


def test_doubling_the_size_spreads_the_middle_over_the_picture():
    images = pictures(1, 9, 9, 1)
    larger = apply(images, unchanged(1, scale=2.0))
    np.testing.assert_array_equal(larger[:, ::2, ::2], images[:, 2:7, 2:7])


def test_brightness_is_added():
    images = pictures(2, 5, 4, 3)
    np.testing.assert_allclose(apply(images, unchanged(2, brightness=0.7)), images + 0.7)


def test_an_erased_rectangle_holds_the_mean_of_each_channel_and_the_rest_is_kept():
    images = pictures(2, 9, 8, 3)
    erased = apply(images, unchanged(2, box=(1, 2, 4, 8)))
    inside = np.zeros((9, 8), bool)
    inside[1:4, 2:8] = True
    expected = np.broadcast_to(images.mean(axis=(1, 2))[:, np.newaxis], (2, 18, 3))
    np.testing.assert_allclose(erased[:, inside], expected, rtol=1e-12)
    np.testing.assert_array_equal(erased[:, ~inside], images[:, ~inside])


@pytest.mark.parametrize("variant", ["read-only", "strided", "transposed", "byte-swapped"])
def test_the_memory_layout_of_the_pictures_does_not_matter_and_they_stay_as_they_are(variant):
    images = pictures(4, 6, 6, 2, dtype=np.float32)
    other = {
        "read-only": lambda: images.copy(),
        "strided": lambda: np.repeat(images, 2, axis=2)[:, :, ::2],
        "transposed": lambda: images.transpose(3, 2, 1, 0).copy().transpose(3, 2, 1, 0),
        "byte-swapped": lambda: images.astype(images.dtype.newbyteorder()),
    }[variant]()
    other.flags.writeable = variant != "read-only"
    result = EVERYTHING(other, np.random.default_rng(5))
    np.testing.assert_array_equal(result, EVERYTHING(images, np.random.default_rng(5)))
    np.testing.assert_array_equal(other, images)
    assert result.dtype == np.float32
    assert result.flags.writeable


def test_the_seed_decides():
    images = pictures(8, 12, 12, 1, dtype=np.float32)
    first, again, other = (EVERYTHING(images, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any(axis=(1, 2, 3)).all()


def test_the_changes_fill_their_bounds_and_keep_them():
    count, height, width = 4000, 40, 20
    changes = EVERYTHING.draw(count, height, width, np.random.default_rng(0))
    for values, greatest in (
        (changes.shift[:, 0], 0.2 * height),
        (changes.shift[:, 1], 0.2 * width),
        (changes.angle, np.radians(30)),
        (changes.scale - 1, 0.3),
        (changes.brightness, 0.5),
    ):
        quartiles = np.quantile(values, [0, 0.25, 0.5, 0.75, 1]) / greatest
        np.testing.assert_allclose(quartiles, [-1, -0.5, 0, 0.5, 1], atol=0.06)
        assert np.abs(values).max() <= greatest


def test_flips_and_rectangles_come_as_often_as_asked():
    augmentation = replace(EVERYTHING, erase=0.3)
    changes = augmentation.draw(10_000, 40, 20, np.random.default_rng(0))
    assert changes.flip.mean() == pytest.approx(0.5, abs=0.02)
    erased = changes.box[:, 0] < changes.box[:, 2]
    assert erased.mean() == pytest.approx(0.3, abs=0.02)


def test_rectangles_lie_inside_the_picture_and_reach_its_edges():
    augmentation = Augmentation(erase=1)
    top, left, bottom, right = augmentation.draw(5000, 40, 20, np.random.default_rng(0)).box.T
    assert (top.min(), left.min(), bottom.max(), right.max()) == (0, 0, 40, 20)
    assert set(bottom - top) == set(range(6, 16))           # 40 / 8 = 5 and 3 * 5, rounded up
    assert set(right - left) == set(range(3, 9))            # 20 / 8 = 2.5 and 7.5, rounded up


def test_one_setting_does_not_change_what_is_drawn_for_another():
    alone = Augmentation(rotate=30).draw(50, 48, 48, np.random.default_rng(9))
    together = EVERYTHING.draw(50, 48, 48, np.random.default_rng(9))
    np.testing.assert_array_equal(alone.angle, together.angle)
    assert not alone.flip.any()
    assert together.flip.any()


@pytest.mark.parametrize(
    ("setting", "value"),
    [("flip", 1), ("flip", "yes"), ("shift", 1.5), ("shift", -0.1), ("rotate", 181),
     ("rotate", "10"), ("scale", 1.0), ("brightness", -1), ("brightness", np.inf),
     ("brightness", np.nan), ("erase", 2), ("erase", True)],
)
def test_a_setting_out_of_range_is_named_with_what_came(setting, value):
    with pytest.raises((TypeError, ValueError), match=f"Augmentation: {setting} must ") as caught:
        Augmentation(**{setting: value})
    assert repr(value) in str(caught.value)


@pytest.mark.parametrize("images", [np.zeros((2, 4, 4, 1), np.uint8), np.zeros((2, 4, 4)),
                                    np.zeros((2, 4, 4, 1), np.float16)])
def test_other_arrays_are_refused(images):
    with pytest.raises(ValueError, match=r"float32 or float64 \(N, H, W, C\), got "):
        EVERYTHING(images, np.random.default_rng(0))


def test_as_many_changes_as_pictures_are_required():
    with pytest.raises(ValueError, match=r"flip must have shape \(2,\) for 2 images, got \(3,\)"):
        apply(pictures(2, 4, 4, 1), unchanged(3))


@pytest.mark.parametrize(("name", "value", "message"), [
    ("scale", [1, 0], "scale must be above 0, got 0"),
    ("scale", [1, -0.5], "scale must be above 0, got -0.5"),
    ("scale", [1, 1e-300], "must lead at most 1e"),
    ("shift", [[0, 0], [1e300, 0]], "must lead at most 1e"),
    ("shift", [0, 0], r"shift must have shape \(2, 2\) for 2 images, got \(2,\)"),
    ("angle", [0, np.nan], "angle must be finite"),
    ("brightness", [0, np.inf], "brightness must be finite"),
    ("box", [[0, 0, 0, 0], [0, 0, 5, 4]], "box must lie inside the picture of 4×5 pixels"),
    ("box", [[0, 0, 0, 0], [-1, 0, 4, 4]], "box must lie inside the picture"),
    ("box", [[0, 0, 0, 0], [2, 0, 1, 4]], "box must lie inside the picture"),
])
def test_changes_that_no_picture_can_take_are_named(name, value, message):
    with pytest.raises(ValueError, match=f"augmentation: .*{message}"):
        apply(pictures(2, 4, 5, 1), replace(unchanged(2), **{name: np.array(value)}))


@pytest.mark.parametrize(("name", "value", "message"), [
    ("box", np.full((2, 4), 0.9), "box must be an array of integers, got float64"),
    ("flip", np.zeros(2), "flip must be an array of booleans, got float64"),
    ("scale", [1.0, 1.0], "scale must be an array of real numbers, got list"),
    ("angle", np.array(["a", "b"]), "angle must be an array of real numbers, got <U1"),
])
def test_changes_of_another_type_are_named(name, value, message):
    with pytest.raises(TypeError, match=f"augmentation: {message}"):
        apply(pictures(2, 4, 5, 1), replace(unchanged(2), **{name: value}))
