"""What a file describes is measured before it is made, also where layers are one's own."""

import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minicnn
from minicnn import InputError, Sequential, layers
from minicnn.files.model import write_model
from minicnn.layers import ArraySpec, Dense, Layer
from minicnn.layers.limits import FEW_NUMBERS, MOST_MULTIPLY_ADDS, MOST_NUMBERS, require_modest

BYTES = 2**20


@dataclass(eq=False)
class Declares(Layer):
    """It says what it makes."""

    length: int
    learnt: bool = True

    def arrays(self, input_shape: tuple) -> list[ArraySpec]:
        return [ArraySpec("factor", (self.length,), 1, learnt=self.learnt)]


@dataclass(eq=False)
class Silent(Layer):
    """It makes an array, and says nothing of it, or that it is small."""

    length: int

    def create(self, input_shape: tuple, dtype: np.dtype, rng: np.random.Generator) -> None:
        self.add_parameter("factor", np.ones(self.length, dtype))

    def state_size(self, input_shape: tuple) -> int:
        return 1


@dataclass(eq=False)
class Understated(Declares):
    """It declares its size, and denies it."""

    def state_size(self, input_shape: tuple) -> int:
        return 1


@pytest.fixture(autouse=True)
def own_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in (Declares, Silent, Understated):
        monkeypatch.setitem(layers.LAYERS, kind.__name__, kind)


@pytest.fixture(autouse=True)
def little_memory() -> Iterator[None]:
    """None of these tests takes more than a megabyte."""
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < BYTES


LARGE = 10**8


@pytest.mark.parametrize(("layer", "message"), [
    ({"type": "Dense", "units": LARGE}, "layer 1: expected at most 1,048,576 weights, got 4e+08"),
    ({"type": "Declares", "length": LARGE},
     "layer 1: expected at most 1,048,576 weights, got 1e+08"),
    ({"type": "Declares", "length": LARGE, "learnt": False},
     "layer 1: expected at most 1,048,576 weights, got 1e+08"),
    ({"type": "Understated", "length": LARGE},
     "layer 1: expected at most 1,048,576 weights, got 1e+08"),
    ({"type": "Silent", "length": LARGE},
     "Silent: defines create but not arrays; declare what it makes, with def arrays("),
    ({"type": "Declares", "length": -1},
     "ArraySpec: a length of factor must be at least 0, got -1"),
])
def test_a_model_file_that_asks_for_much(
    tmp_path: Path, layer: dict[str, Any], message: str
) -> None:
    path = tmp_path / "a.safetensors"
    architecture = {"layers": [layer], "input_shape": [3], "dtype": "float32", "seed": 0}
    write_model(path, architecture, {"w": np.ones(2)}, {}, "float32")
    with pytest.raises(InputError) as caught:
        minicnn.load(path)
    assert str(caught.value).startswith(f"{path}: architecture: {message}")


def test_a_layer_of_ones_own_that_declares_is_loaded(tmp_path: Path) -> None:
    model = Sequential([Declares(3), layers.Flatten()], (3,))
    model.parameters()[0].data[...] = [1, 2, 3]
    model.save(tmp_path / "a.safetensors")
    (parameter,) = minicnn.load(tmp_path / "a.safetensors").parameters()
    assert parameter.data.tolist() == [1, 2, 3]


def expected_message(stack: list[Layer], shape: tuple[int, ...], most: int) -> str:
    with pytest.raises(InputError) as caught:
        require_modest(stack, shape, "here", most)
    return str(caught.value)


def test_each_limit_is_the_last_number_that_is_allowed() -> None:
    require_modest([Dense(2), Dense(3)], (4,), "here", 4 * 2 + 2 + 2 * 3 + 3)
    assert expected_message([Dense(2), Dense(3)], (4,), 18) == (
        "here: layer 2: expected at most 18 weights, got 19")
    require_modest([layers.ReLU()], (MOST_NUMBERS,), "here", FEW_NUMBERS)
    assert expected_message([layers.ReLU()], (MOST_NUMBERS + 1,), 0) == (
        "here: layer 1: expected at most 268,435,456 numbers for one input, got 2.68e+08")
    half = Dense(2**18, use_bias=False)  # of 2**18 inputs
    require_modest([half], (2**18,), "here", 2**36)
    assert MOST_MULTIPLY_ADDS == 2**36
    assert expected_message([half, Dense(1, use_bias=False)], (2**18,), 2**40) == (
        "here: layer 2: expected at most 68,719,476,736 multiply-adds for one input, got 6.87e+10")


def test_numbers_that_no_float_can_hold() -> None:
    assert expected_message([Dense(10**400)], (4,), 7) == (
        "here: layer 1: expected at most 7 weights, got far more")


def test_layers_that_do_not_fit_are_left_to_whoever_builds_them() -> None:
    require_modest([Dense(2), layers.MaxPool2D(), Dense(10**12)], (4,), "here", 10)
