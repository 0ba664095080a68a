"""Layers declare their arrays: declarations are checked, and are what the layers make."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from refusals import assert_refused

from minicnn import InputError, Sequential, initializers, layers, load
from minicnn.layers import ArraySpec, Layer

lengths = st.integers(1, 6)
images = st.tuples(lengths, lengths, lengths)
anything = st.lists(lengths, min_size=1, max_size=4).map(tuple)
windows = st.one_of(st.integers(1, 4), st.tuples(st.integers(1, 4), st.integers(1, 4)))

layers_and_shapes = st.one_of(
    st.tuples(st.builds(layers.Conv2D, lengths, windows, stride=windows, use_bias=st.booleans()),
              images),
    st.tuples(st.builds(layers.Dense, lengths, use_bias=st.booleans()), st.tuples(lengths)),
    st.tuples(st.builds(layers.MaxPool2D, windows, padding=st.just("same")), images),
    st.tuples(st.builds(layers.AvgPool2D, windows, padding=st.just("same")), images),
    st.tuples(st.builds(layers.GlobalAvgPool2D), images),
    st.tuples(st.builds(layers.LayerNorm), anything.filter(lambda shape: np.prod(shape) > 1)),
    st.tuples(st.builds(layers.GroupNorm, st.sampled_from([1, 2, 3])),
              st.tuples(lengths.filter(lambda length: length > 1), st.just(6))),
    st.tuples(st.sampled_from([layers.BatchNorm, layers.ReLU, layers.LeakyReLU, layers.ELU,
                               layers.Flatten, lambda: layers.Dropout(0.5)])
              .flatmap(lambda make: st.builds(make)), anything),
)


def test_every_kind_is_drawn() -> None:
    drawn = set()

    @settings(max_examples=600, derandomize=True, database=None)
    @given(layers_and_shapes)
    def draw(given: tuple[Layer, tuple[int, ...]]) -> None:
        drawn.add(type(given[0]).__name__)

    draw()
    assert drawn == set(layers.LAYERS)


@settings(max_examples=200, deadline=None)
@given(layers_and_shapes, st.sampled_from(["float32", "float64"]))
def test_a_layer_makes_what_it_declares(
    given: tuple[Layer, tuple[int, ...]], dtype: str
) -> None:
    layer, shape = given
    size, declared = layer.state_size(shape), layer.declared_arrays(shape)
    model = Sequential([layer], shape, dtype)
    learnt = [(item.name, item.data.shape, item.decays) for item in layer.parameters()]
    assert [(f"{layer.name}.{spec.name}", spec.shape, spec.decays)
            for spec in declared if spec.learnt] == learnt
    state = layer.state_dict()
    assert {f"{layer.name}.{spec.name}": spec.shape for spec in declared} == {
        name: array.shape for name, array in state.items()}
    assert {array.dtype for array in state.values()} <= {np.dtype(dtype)}
    assert size == sum(array.size for array in state.values())
    (row,) = model.summarize().rows
    assert row.parameters == sum(item.data.size for item in layer.parameters())


@pytest.mark.parametrize(("initializer", "expected"), [
    (0, np.zeros((2, 3))), (np.float32(1.5), np.full((2, 3), 1.5)), ("ones", np.ones((2, 3))),
    ({"name": "normal", "std": 2.0}, np.random.default_rng(7).normal(0, 2, (2, 3))),
    (initializers.Uniform(0.5), np.random.default_rng(7).uniform(-0.5, 0.5, (2, 3))),
], ids=repr)
def test_how_an_array_starts(initializer: Any, expected: np.ndarray) -> None:
    spec = ArraySpec("w", (2, 3), initializer)
    for dtype in ("float32", "float64"):
        drawn = spec.draw(np.random.default_rng(7), dtype)
        assert drawn.dtype == dtype
        np.testing.assert_array_equal(drawn, expected.astype(dtype))
    assert spec.size == 6
    assert (spec.learnt, spec.decays) == (True, False)


@pytest.mark.parametrize(("make", "kind", "message"), [
    (lambda: ArraySpec("w", (3, -1), 0), ValueError,
     "ArraySpec: a length of w must be at least 0, got -1"),
    (lambda: ArraySpec("w", (3, 2.0), 0), TypeError,
     "ArraySpec: a length of w must be an integer, got 2.0"),
    (lambda: ArraySpec("w", 3, 0), TypeError,
     "ArraySpec: the shape of w must be a tuple of lengths, got 3"),
    (lambda: ArraySpec(3, (3,), 0), TypeError, "ArraySpec: name must be text, got 3"),
    (lambda: ArraySpec("w", (3,), None), TypeError,
     "ArraySpec: initializer must be a number, got None"),
    (lambda: ArraySpec("w", (3,), np.nan), ValueError, "ArraySpec: initializer must lie in (-inf,"),
    (lambda: ArraySpec("w", (3,), "xavier"), InputError, "initializer: expected one of he_normal,"),
    (lambda: ArraySpec("w", (3,), 0, decays="no"), TypeError,
     "ArraySpec: decays must be True or False, got 'no'"),
    (lambda: ArraySpec("w", (3,), 0, learnt=1), TypeError,
     "ArraySpec: learnt must be True or False, got 1"),
    (lambda: ArraySpec("w", (3,), 0, decays=True, learnt=False), ValueError,
     "ArraySpec: w is not learnt, so it cannot decay"),
])
def test_declarations_that_are_refused(
    make: Callable, kind: type[Exception], message: str
) -> None:
    assert_refused(make, kind, message)


class Own(Layer):
    """A layer of one's own that passes on what it gets."""

    def forward(self, x: Any, training: bool = False) -> np.ndarray:
        return self.built_for(x)


class Undeclared(Own):
    """It makes a factor for each channel, without having declared one."""

    def create(self, input_shape: tuple, dtype: np.dtype, rng: np.random.Generator) -> None:
        self.add_parameter("factor", np.ones(input_shape[-1], dtype), decays=True)
        self.add_buffer("seen", np.zeros((2, 5), dtype))


class Declared(Own):
    """It declares a factor for each channel, and makes what it is told to."""

    made: Callable[["Declared"], None]

    def arrays(self, input_shape: tuple) -> list[ArraySpec]:
        return [ArraySpec("factor", (input_shape[-1],), 1, decays=True)]

    def create(self, input_shape: tuple, dtype: np.dtype, rng: np.random.Generator) -> None:
        self.made()


def declared(made: Callable[[Declared], None]) -> Declared:
    layer = Declared()
    layer.made = lambda: made(layer)
    return layer


def test_a_layer_with_arrays_but_without_declaration() -> None:
    layer = Undeclared()
    assert_refused(
        lambda: layer.state_size((3,)), TypeError,
        "Undeclared: defines create but not arrays; declare what it makes, with def arrays(self, "
        "input_shape): return [minicnn.layers.ArraySpec(name, shape, initializer), ...], or [] "
        "where it makes no array",
    )
    layer.forward(np.ones((2, 3)))
    assert layer.state_size((3,)) == 3 + 10
    assert [(spec.name, spec.shape, spec.decays, spec.learnt)
            for spec in layer.declared_arrays((3,))] == [
        ("factor", (3,), True, True), ("seen", (2, 5), False, False)]


def test_a_network_takes_it_and_a_file_does_not_bring_it_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(layers.LAYERS, "Undeclared", dataclass(eq=False)(Undeclared))
    model = Sequential([layers.Dense(3), Undeclared()], (4,))
    assert model.summarize().totals["parameters"] == 4 * 3 + 3 + 3
    model.save(tmp_path / "a.safetensors")
    with pytest.raises(InputError, match="Undeclared: defines create but not arrays"):
        load(tmp_path / "a.safetensors")


class Longer(layers.Dense):
    """A dense layer with a factor more than it declares."""

    def create(self, input_shape: tuple, dtype: np.dtype, rng: np.random.Generator) -> None:
        super().create(input_shape, dtype, rng)
        self.add_parameter("factor", np.ones(self.units, dtype))


def test_a_layer_that_makes_more_than_the_kind_that_it_derives_from() -> None:
    layer = Longer(2)
    assert not layer.declares_arrays
    assert layers.Dense(2).declares_arrays
    assert layers.Dropout(0.5).declares_arrays
    Sequential([layer], (3,))
    assert [spec.name for spec in layer.declared_arrays((3,))] == ["w", "b", "factor"]


@pytest.mark.parametrize(("made", "message"), [
    (lambda layer: layer.add_parameter("factor", np.ones(4), decays=True),
     "factor: expected what arrays declares, shape (3,), learnt, decaying, "
     "but create made shape (4,), learnt, decaying; let the two agree"),
    (lambda layer: layer.add_parameter("factor", np.ones(3)),
     "factor: expected what arrays declares, shape (3,), learnt, decaying, "
     "but create made shape (3,), learnt; "),
    (lambda layer: layer.add_buffer("factor", np.ones(3)),
     "factor: expected what arrays declares, shape (3,), learnt, decaying, "
     "but create made shape (3,); "),
    (lambda layer: None, "factor: expected what arrays declares, shape (3,), learnt, decaying, "
                         "but create made nothing; "),
    (lambda layer: (layer.add_parameter("factor", np.ones(3), decays=True),
                    layer.add_buffer("mean", np.ones(2))),
     "mean: expected what arrays declares, nothing, but create made shape (2,); "),
])
def test_a_layer_that_makes_something_else(made: Callable, message: str) -> None:
    layer = declared(made)
    for _ in range(2):  # the first time does not leave a layer that seems to be built
        assert_refused(lambda: layer.forward(np.ones((2, 3))), ValueError, f"Declared: {message}")


def test_a_layer_may_make_what_it_declares_itself() -> None:
    start = np.array([1.0, 2.0, 3.0])
    layer = declared(lambda layer: layer.add_parameter("factor", start, decays=True))
    model = Sequential([layer], (3,))
    np.testing.assert_array_equal(model.parameters()[0].data, start)
    assert model.summarize().totals["parameters"] == 3


@pytest.mark.parametrize(("specs", "kind", "message"), [
    ([("w", (3,))], TypeError,
     "Own: arrays must return a list of ArraySpecs, got one of ('w', (3,))"),
    (None, TypeError, "Own: arrays must return a list of ArraySpecs, got None"),
    ([ArraySpec("w", (3,), 0), ArraySpec("v", (3,), 0), ArraySpec("w", (3,), 0, learnt=False)],
     ValueError, "Own: arrays declares a name twice: w, v, w"),
])
def test_lists_of_declarations_that_are_refused(
    monkeypatch: pytest.MonkeyPatch, specs: Any, kind: type[Exception], message: str
) -> None:
    monkeypatch.setattr(Own, "arrays", lambda self, input_shape: specs)
    assert_refused(lambda: Own().build((3,)), kind, message)
