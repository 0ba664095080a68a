"""Memory that is used again: never while somebody holds it, and not for ever."""

import threading

import numpy as np
import pytest

from minicnn import layers, losses
from minicnn.ops.cpu.linalg import memory


def place(array: np.ndarray) -> int:
    """Where an array lies."""
    return array.__array_interface__["data"][0]


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.bool_, np.int32])
@pytest.mark.parametrize("shape", [(3,), (0, 5), (100_000,), (64, 17, 65), ()])
def test_an_array_is_as_numpy_makes_it(dtype: type, shape: tuple[int, ...]) -> None:
    array = memory.empty(shape, dtype)
    assert array.shape == shape
    assert array.dtype == dtype
    assert array.flags.c_contiguous
    assert array.flags.writeable
    assert array.flags.aligned


def test_large_arrays_begin_at_a_line_of_the_cache() -> None:
    assert place(memory.empty((70_001,), np.float32)) % memory.ALIGNMENT == 0


def test_memory_is_used_again_when_nobody_holds_it() -> None:
    first = memory.empty((123_457,), np.float32)
    where = place(first)
    del first
    assert place(memory.empty((123_457,), np.float32)) == where


@pytest.mark.parametrize("keep", [
    lambda array: array, lambda array: array[5:], lambda array: array.reshape(3, -1)[1],
    lambda array: [array.T], lambda array: memoryview(array),
], ids=["itself", "a part", "a row", "in a list", "a view of its memory"])
def test_memory_that_is_held_is_left_alone(keep) -> None:
    array = memory.empty((150_000,), np.float32)
    array[:] = 3
    where, held = place(array), keep(array)
    del array
    other = memory.empty((150_000,), np.float32)
    assert place(other) != where
    other[:] = 4
    assert (np.asarray(held) == 3).all()


def test_memory_that_is_long_unused_is_given_back() -> None:
    size = 54_321 * 4
    del_me = memory.empty((54_321,), np.float32)
    held = memory.empty((54_321,), np.float32)
    del del_me
    assert len(memory._BLOCKS._by_size[size]) == 2
    for _ in range(3 * memory.PATIENCE):
        memory.empty((40_000,), np.float32)
    assert len(memory._BLOCKS._by_size[size]) == 1
    held[:] = 1
    del held
    for _ in range(3 * memory.PATIENCE):
        memory.empty((40_000,), np.float32)
    assert size not in memory._BLOCKS._by_size


def test_threads_never_share_a_block() -> None:
    wrong = []

    def work(number: int) -> None:
        for _ in range(300):
            arrays = [memory.empty((40_000,), np.int32) for _ in range(3)]
            for array in arrays:
                array[:] = number
            wrong.extend(array for array in arrays if (array != number).any())

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_what_a_step_gave_a_caller_survives_the_next_steps() -> None:
    from minicnn import Sequential

    model = Sequential(
        [layers.Conv2D(16), layers.BatchNorm(), layers.ReLU(), layers.Conv2D(16), layers.ELU(),
         layers.MaxPool2D(), layers.Dropout(0.2), layers.Flatten(), layers.Dense(5)],
        input_shape=(24, 24, 1),
    )
    loss, rng, held = losses.SoftmaxCrossEntropy(), np.random.default_rng(0), []
    for _ in range(4):
        x, labels = rng.standard_normal((9, 24, 24, 1)).astype(np.float32), rng.integers(0, 5, 9)
        logits = model.forward(x, training=True)
        loss.forward(logits, labels)
        dx = model.backward(loss.backward())
        inner = model.layers[1].forward(model.layers[0].forward(x, training=True), training=True)
        arrays = [logits, dx, inner, *(parameter.grad for parameter in model.parameters())]
        held += [(array, array.copy()) for array in arrays]
    for array, copy in held:
        np.testing.assert_array_equal(array, copy)
