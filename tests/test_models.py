"""The networks that come with the library: their sizes, and what batch norm does not change."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

import minicnn
from minicnn import layers, models


def kinds(model: minicnn.Sequential) -> list[str]:
    """The layers' kinds in order."""
    return [type(layer).__name__ for layer in model.layers]


def count(model: minicnn.Sequential) -> int:
    """How many numbers are learnt."""
    return sum(parameter.data.size for parameter in model.parameters())


def test_the_papers_network() -> None:
    model = models.paper()
    block = ["Conv2D", "BatchNorm", "ReLU"] * 2 + ["MaxPool2D"]
    assert kinds(model) == 3 * block + ["Flatten", "Dense", "BatchNorm", "ReLU", "Dense"]
    filters = [1, 64, 64, 128, 128, 256, 256]
    convolutions = sum(9 * c * k + k for c, k in pairwise(filters))
    dense = 6 * 6 * 256 * 256 + 256 + 256 * 7 + 7
    batch_norm = 2 * (sum(filters[1:]) + 256)
    assert count(model) == convolutions + dense + batch_norm == 3_507_911
    assert count(models.paper(batch_norm=False)) == convolutions + dense
    assert (model.input_shape, model.output_shape) == ((48, 48, 1), (7,))


@pytest.mark.parametrize("make", models.MODELS.values(), ids=models.MODELS)
def test_batch_norm_is_a_flag(make: Callable[..., minicnn.Sequential]) -> None:
    with pytest.raises(TypeError, match="batch_norm must be True or False, got 'no'"):
        make(batch_norm="no")


def test_the_vgg() -> None:
    model = models.vgg(dropout=0.3)
    filters = [[32], [64] * 2, [128] * 3, [256] * 2]
    blocks = [["Conv2D", "BatchNorm", "ReLU"] * len(block) for block in filters]
    assert kinds(model) == [
        *blocks[0], *(kind for block in blocks[1:] for kind in ["MaxPool2D", *block]),
        "GlobalAvgPool2D", "Dropout", "Dense"]
    channels = [1, *(each for block in filters for each in block)]
    convolutions = sum(9 * c * k for c, k in pairwise(channels))
    assert count(model) == convolutions + 2 * sum(channels[1:]) + 256 * 7 + 7 == 1_312_871
    assert count(models.vgg(batch_norm=False)) == convolutions + sum(channels[1:]) + 256 * 7 + 7
    assert (model.input_shape, model.output_shape) == ((48, 48, 1), (7,))


def test_the_network_of_the_drawn_faces() -> None:
    model = models.drawn_faces()
    block = ["Conv2D", "BatchNorm", "ReLU", "MaxPool2D"]
    assert kinds(model) == 3 * block + ["Flatten", "Dense"]
    assert count(model) == (
        9 * 16 + 16 + 9 * 16 * 32 + 32 + 9 * 32 * 64 + 64 + 36 * 64 * 7 + 7 + 2 * (16 + 32 + 64))
    assert model.predict(np.ones((2, 48, 48, 1))).shape == (2, 7)


@pytest.mark.parametrize("make", models.MODELS.values(), ids=models.MODELS)
@pytest.mark.parametrize("change", [{"batch_norm": False}, {"dropout": 0.5}])
def test_the_other_layers_start_from_the_same_weights(make: Callable, change: dict) -> None:
    plain, changed = make(seed=3).state_dict(), make(seed=3, **change).state_dict()
    names = [name for name in plain if name.startswith(("conv2d", "dense"))]
    assert set(names) <= set(changed)
    assert len(names) >= 8
    for name in names:
        np.testing.assert_array_equal(plain[name], changed[name])
    assert [name for name in plain if name.startswith("batchnorm")]
    if "batch_norm" in change:
        assert not [name for name in changed if name.startswith("batchnorm")]


def test_another_seed_gives_other_weights() -> None:
    first, second = models.drawn_faces(seed=0), models.drawn_faces(seed=1)
    assert (first.parameters()[0].data != second.parameters()[0].data).all()


def test_where_dropout_stands() -> None:
    paper = kinds(models.paper(dropout=0.5))
    assert [paper[place - 1] for place, kind in enumerate(paper) if kind == "Dropout"] == [
        "MaxPool2D", "MaxPool2D", "MaxPool2D", "ReLU"]
    drawn = models.drawn_faces(dropout=0.25)
    assert kinds(drawn)[-3:] == ["Flatten", "Dropout", "Dense"]
    assert [layer.rate for layer in drawn.layers if isinstance(layer, layers.Dropout)] == [0.25]


@pytest.mark.parametrize("make", models.MODELS.values(), ids=models.MODELS)
def test_dropout_out_of_range(make: Callable) -> None:
    with pytest.raises(ValueError, match=r"dropout must lie in \[0, 1\), got 1"):
        make(dropout=1)
