"""A network of the paper's form in training: as on the cpu, and with little sent to and fro."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from counting_device import CountingDevice, steps_of

import minicnn
from minicnn import Sequential, layers, losses, models, optimizers
from minicnn.files.tensors import read_tensors
from minicnn.ops.cuda.device import device
from minicnn.training import Callback, Checkpoint, Trainer

INPUTS = np.random.default_rng(0).standard_normal((12, 16, 16, 1))
LABELS = np.random.default_rng(1).integers(0, 7, 12)


def network(dropout: float = 0.0) -> Sequential:
    """Blocks of 8, 16 and 32 filters, in float64."""
    blocks: list[layers.Layer] = []
    for filters in (8, 16, 32):
        for _ in range(2):
            blocks += [layers.Conv2D(filters, use_bias=False), layers.BatchNorm(), layers.ReLU()]
        blocks += [layers.MaxPool2D(), *([layers.Dropout(dropout)] if dropout else [])]
    end = [layers.Flatten(), layers.Dense(16), layers.BatchNorm(), layers.ReLU(), layers.Dense(7)]
    return Sequential([*blocks, *end], (16, 16, 1), dtype="float64")


def trained(backend: str, *callbacks: Callback, epochs: int = 1, dropout: float = 0.0) -> Trainer:
    """Three steps an epoch."""
    model = network(dropout)
    run = Trainer(model, losses.SoftmaxCrossEntropy(class_weights=np.arange(1, 8)),
                  optimizers.AdamW(model.parameters()), callbacks=callbacks)
    with minicnn.use_backend(backend):
        run.fit((INPUTS, LABELS), (INPUTS, LABELS), epochs=epochs, batch_size=4)
    return run


def assert_close_runs(one: Trainer, other: Trainer) -> None:
    """Require the same state, to ten digits of the larger numbers."""
    states = one.state_dict()[1], other.state_dict()[1]
    assert states[0].keys() == states[1].keys()
    for name, array in states[0].items():
        np.testing.assert_allclose(array, states[1][name], rtol=1e-9, atol=1e-10, err_msg=name)
    assert one.history[-1].validation_loss == pytest.approx(
        other.history[-1].validation_loss, rel=1e-9)


class Change(Callback):
    """Another backend between every forward and its backward."""

    def on_loss(self, trainer: Any, x: np.ndarray, loss: float) -> None:
        """Cuda after the cpu, and the other way round."""
        minicnn.use_backend("cuda" if minicnn.backend_name() == "cpu" else "cpu")


@pytest.mark.slow(10)
def test_three_steps_are_those_of_the_cpu_also_where_the_backend_changes() -> None:
    expected = trained("cpu")
    assert_close_runs(trained("cuda"), expected)
    assert_close_runs(trained("cuda", Change()), expected)


@pytest.mark.slow(10)
def test_two_runs_give_the_same_bits_with_few_launches_and_downloads(
    monkeypatch: pytest.MonkeyPatch
) -> None:
    counts: Counter[str] = Counter()

    def counted(verb: str, run: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **settings: Any) -> Any:
            counts[verb] += 1
            return run(*args, **settings)
        return call

    for verb in ("launch", "download"):
        monkeypatch.setattr(device(), verb, counted(verb, getattr(device(), verb)))

    class Count(Callback):
        def on_step_start(self, trainer: Any) -> None:
            counts.clear()

        def on_step_end(self, trainer: Any) -> None:
            steps.append(dict(counts))

    steps: list[dict[str, int]] = []
    states = [trained("cuda", Count(), dropout=0.2).state_dict()[1] for _ in range(2)]
    for name, array in states[0].items():
        np.testing.assert_array_equal(array, states[1][name], err_msg=name)
    second = steps[1]
    assert second["download"] == 3  # the loss, the logits, whether all is finite
    assert second["launch"] <= 160


@pytest.mark.slow(10)
def test_a_checkpoint_goes_from_the_cpu_to_cuda_and_back(tmp_path: Path) -> None:
    def begun() -> Trainer:
        model = network()
        return Trainer(model, losses.SoftmaxCrossEntropy(), optimizers.AdamW(model.parameters()),
                       callbacks=[Checkpoint(tmp_path / "checkpoint", {})])

    def fit(run: Trainer, backend: str, epochs: int) -> None:
        with minicnn.use_backend(backend):
            run.fit((INPUTS, LABELS), (INPUTS, LABELS), epochs=epochs, batch_size=4)

    whole = begun()
    fit(whole, "cpu", 3)
    for epoch, backend in enumerate(("cpu", "cuda", "cpu"), 1):
        part = begun()
        if epoch > 1:
            header, tensors = read_tensors(tmp_path / "checkpoint", "checkpoint")
            part.load_state_dict(header["trainer"], tensors)
        fit(part, backend, epoch)
    assert_close_runs(part, whole)
    for one, other in zip(part.history, whole.history, strict=True):
        assert one.train_loss == pytest.approx(other.train_loss, rel=1e-9)


# -- what a step of a large network asks of the device, counted without computing it --------------


@pytest.mark.parametrize("batch", [2, 64, 128, 512])
@pytest.mark.parametrize("multiprocessors", [20, 132])
def test_a_step_of_the_papers_network(batch: int, multiprocessors: int) -> None:
    steps = steps_of(CountingDevice(multiprocessors), models.paper(), batch, 6)
    for step in steps[2:-1]:  # the last looks at what it has left, too
        assert step["launch"] <= 160
        assert step["wait"] == 2  # for the loss, and for whether all is finite
        assert step["download"] == 3  # the logits too
        assert step["bytes home"] < 2**15
        assert step["allocate"] == step["free"] == 0
    print(f"batch {batch}: {steps[2]['launch']} launches")


@pytest.mark.parametrize("model", [
    models.paper(dropout=0.3), models.paper(batch_norm=False), models.vgg(),
], ids=["with dropout", "without batch norm", "vgg"])
def test_no_step_of_another_network_allocates(model: Sequential) -> None:
    steps = steps_of(CountingDevice(), model, 64, 6, clip_norm=1.0)
    for step in steps[2:-1]:
        assert (step["wait"], step["download"]) == (3, 4)  # the norm of the gradients
        assert step["allocate"] == step["free"] == 0


def test_batches_of_two_sizes_in_turn_allocate_nothing_in_the_end() -> None:
    steps = steps_of(CountingDevice(), models.paper(), 64, 9, last=3, epochs=3)
    assert all(step["allocate"] == 0 for step in steps[-9:])
