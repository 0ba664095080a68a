"""Grad-CAM against central differences, against cases worked by hand, and in odd networks."""

import numpy as np
import pytest

from minicnn import InputError, Sequential, layers, models, use_backend, viewing


@pytest.fixture(autouse=True)
def nothing_to_compile():
    with use_backend("reference"):
        yield


def trained_looking(*, pooling):
    """A small network in float64 whose batch norms have seen something."""
    rng = np.random.default_rng(4)
    blocks = [layers.Conv2D(3), layers.BatchNorm(), layers.ReLU(), layers.MaxPool2D(2),
              layers.Conv2D(5, stride=(1, 2)), layers.BatchNorm(), layers.ELU(),
              *([layers.MaxPool2D(2, padding=1)] if pooling else []), layers.Dropout(0.4),
              layers.Flatten(), layers.Dense(6), layers.BatchNorm(), layers.ReLU(),
              layers.Dense(4)]
    model = Sequential(blocks, (10, 14, 2), dtype="float64", seed=2)
    for _ in range(3):
        model.forward(rng.normal(size=(8, 10, 14, 2)), training=True)
    return model


@pytest.mark.parametrize("pooling", [True, False])
def test_it_is_the_formula_with_gradients_by_central_differences(pooling):
    model = trained_looking(pooling=pooling)
    x, classes = np.random.default_rng(5).normal(size=(3, 10, 14, 2)), [2, 0, 3]
    found = viewing.grad_cam(model, x, classes)
    assert found.layer == "elu_1"
    split = [layer.name for layer in model.layers].index(found.layer) + 1
    activations = x
    for layer in model.layers[:split]:
        activations = layer.forward(activations)

    def score(of, image):
        for layer in model.layers[split:]:
            of = layer.forward(of)
        return of[0, classes[image]]

    step = 1e-6
    for image in range(3):
        one = activations[image : image + 1]
        slopes = np.empty(one.shape[1:])
        for place in np.ndindex(*slopes.shape):
            up, down = one.copy(), one.copy()
            up[0][place] += step
            down[0][place] -= step
            slopes[place] = (score(up, image) - score(down, image)) / (2 * step)
        expected = np.zeros(slopes.shape[:2])
        for channel in range(slopes.shape[2]):
            expected += slopes[..., channel].mean() * one[0, ..., channel]
        expected[expected < 0] = 0
        np.testing.assert_allclose(found.maps[image], expected, rtol=1e-6, atol=1e-10)
    assert (found.maps > 0).any() and (found.maps == 0).any()


def test_after_global_average_pooling_a_place_adds_what_the_map_says():
    """Channel 0 sees what is bright, channel 1 what is dark; each speaks for one class."""
    model = Sequential(
        [layers.Conv2D(2, 1), layers.ReLU(), layers.GlobalAvgPool2D(), layers.Dense(3)],
        (5, 7, 1), dtype="float64")
    model.load_state_dict({
        "conv2d_1.w": np.array([1.0, -1.0]).reshape(1, 1, 1, 2), "conv2d_1.b": np.zeros(2),
        "dense_1.w": np.array([[35.0, 0.0, -1.0], [0.0, 70.0, -1.0]]), "dense_1.b": np.zeros(3)})
    image = np.zeros((5, 7, 1))
    image[1, 5], image[4, 0] = 0.5, -0.25
    maps = viewing.grad_cam(model, np.stack([image] * 3), [0, 1, 2]).maps
    expected = np.zeros((3, 5, 7))
    expected[0, 1, 5] = 0.5  # 35 · 0.5 / 35
    expected[1, 4, 0] = 0.5  # 70 · 0.25 / 35
    np.testing.assert_allclose(maps, expected, atol=1e-15)  # nothing speaks for class 2
    np.testing.assert_allclose(maps[:2].sum((1, 2)), model.forward(image[None])[0, :2])


def test_a_planted_stroke_is_found_where_it_lies():
    """A network that answers "down" to an upright stroke, "across" to a level one."""
    model = Sequential([layers.Conv2D(2, (3, 3)), layers.ReLU(), layers.MaxPool2D(4),
                        layers.Flatten(), layers.Dense(2)], (12, 12, 1))
    upright = np.array([[-1, 2, -1]] * 3, float)
    model.load_state_dict({
        "conv2d_1.w": np.stack([upright, upright.T], axis=2)[:, :, None],
        "conv2d_1.b": np.full(2, -3.0),
        "dense_1.w": np.tile(np.eye(2), (9, 1)), "dense_1.b": np.zeros(2)})
    image = np.zeros((1, 12, 12, 1))
    image[0, 2:7, 2], image[0, 9, 6:11] = 1, 1
    down, across = viewing.grad_cam(model, image.repeat(2, 0), [0, 1]).maps
    assert set(zip(*np.nonzero(down), strict=True)) <= {(row, 2) for row in range(1, 8)}
    assert set(zip(*np.nonzero(across), strict=True)) <= {(9, column) for column in range(5, 12)}
    assert down.max() > 0 and across.max() > 0


@pytest.mark.parametrize(("blocks", "expected"), [
    ([layers.Conv2D(2), layers.BatchNorm(), layers.ReLU(), layers.MaxPool2D(2),
      layers.Dropout(0.5), layers.Flatten()], "relu_1"),
    ([layers.Conv2D(2), layers.GlobalAvgPool2D()], "conv2d_1"),
    ([layers.AvgPool2D(2), layers.Dropout(0.5), layers.Flatten()], "dropout_1"),
    ([layers.Conv2D(2), layers.MaxPool2D(6), layers.Conv2D(4), layers.Flatten()], "conv2d_1"),
    ([layers.Flatten()], None),
    ([layers.MaxPool2D(6), layers.Flatten()], None),
])
def test_which_layer_it_looks_at(blocks, expected):
    model = Sequential([*blocks, layers.Dense(3)], (6, 6, 1))
    assert viewing.spatial_layer(model) == expected
    if expected:
        assert viewing.grad_cam(model, np.ones((1, 6, 6, 1)), [1]).layer == expected
    else:
        with pytest.raises(InputError, match="this one has none, and so no places to show"):
            viewing.grad_cam(model, np.ones((1, 6, 6, 1)), [1])


def test_another_layer_can_be_named():
    model = models.drawn_faces()
    found = viewing.grad_cam(model, np.ones((1, 48, 48, 1)), [0], layer="conv2d_2")
    assert (found.layer, found.maps.shape) == ("conv2d_2", (1, 24, 24))
    for name in ("conv2d_9", "flatten_1", "dense_1"):
        with pytest.raises(InputError, match=rf"\(conv2d_1, .*\), got '{name}'"):
            viewing.grad_cam(model, np.ones((1, 48, 48, 1)), [0], layer=name)


def test_it_leaves_the_model_as_it_was():
    model = trained_looking(pooling=True)
    x = np.random.default_rng(1).normal(size=(2, 10, 14, 2))
    model.forward(x, training=True)
    model.backward(np.ones((2, 4)))
    before = model.state_dict()
    gradients = [parameter.grad for parameter in model.parameters()]
    one, again = (viewing.grad_cam(model, x, [1, 3]).maps for _ in range(2))
    np.testing.assert_array_equal(one, again)  # nothing is dropped at random
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])
    for parameter, gradient in zip(model.parameters(), gradients, strict=True):
        assert parameter.grad is gradient
    with pytest.raises(RuntimeError, match="backward needs a forward"):
        model.backward(np.ones((2, 4)))


@pytest.mark.parametrize(("x", "classes", "error", "said"), [
    (np.ones((2, 48, 48)), [0, 1], ValueError, r"expected images \(N, 48, 48, 1\), got \(2, 48"),
    (np.ones((2, 48, 48, 1)), [0], ValueError, r"expected 2, one an image, got shape \(1,\)"),
    (np.ones((2, 48, 48, 1)), 3, ValueError, r"expected 2, one an image, got shape \(\)"),
    (np.ones((1, 48, 48, 1)), [7], ValueError, "at most 6, the last of the model's 7 scores, got"),
    (np.ones((1, 48, 48, 1)), [-1], ValueError, "a class must be at least 0"),
    (np.ones((1, 48, 48, 1)), [0.5], TypeError, "a class must be an integer"),
])
def test_what_does_not_fit_is_refused(x, classes, error, said):
    with pytest.raises(error, match=f"grad_cam: .*{said}"):
        viewing.grad_cam(models.drawn_faces(), x, classes)


def test_a_model_without_scores_is_refused():
    model = Sequential([layers.Conv2D(2)], (6, 6, 1))
    with pytest.raises(ValueError, match=r"one score a class, \(N, C\), got one that gives \(N, 6"):
        viewing.grad_cam(model, np.ones((1, 6, 6, 1)), [0])


@pytest.mark.slow
def test_the_compiled_kernels_agree():
    model = models.drawn_faces(seed=3)
    x = np.random.default_rng(3).normal(size=(3, 48, 48, 1))
    expected = viewing.grad_cam(model, x, [0, 4, 6]).maps
    with use_backend("cpu"):
        found = viewing.grad_cam(model, x, [0, 4, 6]).maps
    assert expected.max() > 0
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5 * expected.max())
