"""One layer of any size: which passes are timed, and what is refused."""

import pytest

from minicnn import InputError, layers
from minicnn.benchmarking.single import KINDS, measure_layer
from minicnn.benchmarking.tables import passes_of_one

SETTINGS = {"conv2d": {"filters": 5}, "dense": {"units": 5}, "dropout": {"rate": 0.5},
            "groupnorm": {"groups": 2}}


@pytest.mark.parametrize("kind", KINDS)
def test_every_layer_with_shapes_can_be_timed(kind: str) -> None:
    shape = (3, 7) if kind == "dense" else (3, 6, 4, 2)
    single = measure_layer(kind, shape, SETTINGS.get(kind), backend="reference", rounds=2)
    assert list(single.passes) == ["forward", "backward"]
    assert single.shape == shape
    for timings in single.passes.values():
        assert timings.names == ("minicnn",)
        assert timings.seconds.shape == (2, 1)
    assert str(single).startswith(single.layer)


def test_all_kinds_are_there_but_flatten_which_computes_nothing() -> None:
    assert set(KINDS.values()) == set(layers.LAYERS.values()) - {layers.Flatten}


def test_another_program_stands_beside_it() -> None:
    single = measure_layer("relu", (2, 3), backend="reference", against="reference", rounds=1)
    _, headings, cells = passes_of_one(single)
    assert headings[-1] == "times minicnn"
    assert [line[:2] for line in cells] == [
        ["forward", "minicnn"], ["forward", "reference"],
        ["backward", "minicnn"], ["backward", "reference"]]
    assert cells[0][-1] == "1.00 (1.00–1.00)"


@pytest.mark.parametrize(("arguments", "message"), [
    (("conv3d", (2, 3)), "layer: expected one of conv2d, "),
    (("conv2d", (2, 6, 4, 2)), "filters: conv2d needs filters"),
    (("dense", (2, 3), {"units": 5, "filters": 5}), "filters: dense has no filters"),
    (("conv2d", (2, 6, 4), {"filters": 5}), "shape: (2, 6, 4) does not fit: Conv2D: expected im"),
    (("relu", (2,)), "shape: expected the batch and the axes of one input, as 64,48,48,64 or"),
    (("relu", (0, 2)), "shape: expected the batch and the axes of one input, as 64,48,48,64 or"),
    (("maxpool2d", (2, 3, 3, 1), {"size": 5}), "shape: (2, 3, 3, 1) does not fit: "),
    (("dropout", (2, 3), {"rate": 2}), "Dropout: rate must lie in [0, 1), got 2"),
    (("groupnorm", (2, 5, 5, 4), {"groups": 3}),
     "shape: (2, 5, 5, 4) does not fit: GroupNorm: groups must divide the 4 channels, got 3"),
    (("batchnorm", (1, 3)), "batchnorm: training needs at least two values a channel"),
])
def test_what_cannot_be_timed(arguments: tuple, message: str) -> None:
    with pytest.raises(InputError) as caught:
        measure_layer(*arguments, backend="reference")
    assert str(caught.value).startswith(message)


def test_another_program_is_refused() -> None:
    with pytest.raises(InputError, match="against: expected torch or reference, got 'caffe'"):
        measure_layer("relu", (2, 3), against="caffe")
