"""The table of what goes through the layers, against numbers taken by hand."""

import math

import numpy as np
import pandas as pd
import pytest

from minicnn import NonFiniteLossError, Sequential, layers, losses, optimizers
from minicnn.files.tensors import write_tensors
from minicnn.runs.tables import LAYERS
from minicnn.training import Callback, LayerStatisticsFile, Trainer, detect_anomaly

RNG = np.random.default_rng(5)
INPUTS = RNG.standard_normal((20, 6, 6, 1)).astype(np.float32)
LABELS = RNG.integers(0, 3, 20)


def network():
    return Sequential(
        [layers.Conv2D(4), layers.BatchNorm(), layers.ReLU(), layers.Flatten(), layers.Dense(3)],
        input_shape=(6, 6, 1), dtype="float64", seed=2,
    )


def trainer(path, *others):
    model = network()
    return Trainer(
        model, losses.SoftmaxCrossEntropy(), optimizers.SGD(model.parameters(), 0.1),
        callbacks=[*others, LayerStatisticsFile(path)],
    )


def norm(*arrays):
    return math.sqrt(sum(float((array**2).sum()) for array in arrays))


def test_the_first_step_by_hand(tmp_path):
    trainer(tmp_path / "layers.csv").fit((INPUTS, LABELS), epochs=1, batch_size=20)
    table = pd.read_csv(tmp_path / "layers.csv")
    assert tuple(table.columns) == LAYERS
    assert list(table["layer"]) == ["conv2d_1", "batchnorm_1", "relu_1", "flatten_1", "dense_1"]
    order = np.random.default_rng(np.random.SeedSequence(0, spawn_key=(0, 1))).permutation(20)
    model, loss = network(), losses.SoftmaxCrossEntropy()
    outputs, upstreams, y = [], [], INPUTS[order].astype(np.float64)
    for layer in model.layers:
        y = layer.forward(y, training=True)
        outputs.append(y)
    loss.forward(y, LABELS[order])
    dy = loss.backward()
    for layer in reversed(model.layers):
        upstreams.insert(0, dy)
        dy = layer.backward(dy)
    for (_, row), layer, y, dy in zip(
        table.iterrows(), model.layers, outputs, upstreams, strict=True
    ):
        assert row["step"] == row["epoch"] == 1
        expected = [y.mean(), y.std(), (y == 0).mean(), norm(dy)]
        for name in ("grad", "data"):
            arrays = [getattr(parameter, name) for parameter in layer.parameters()]
            expected.append(norm(*arrays) if arrays else math.nan)
        np.testing.assert_allclose(row[list(LAYERS[3:])].astype(float), expected, rtol=1e-9,
                                   atol=1e-12, err_msg=layer.name)
    assert 0 < table["output_zeros"][2] < 1


def test_the_steps_are_powers_of_two_and_go_on_after_a_resume(tmp_path):
    whole = trainer(tmp_path / "whole.csv")
    whole.fit((INPUTS, LABELS), epochs=5, batch_size=8)  # of three steps each
    steps = pd.read_csv(tmp_path / "whole.csv")["step"].unique()
    assert list(steps) == [1, 2, 4, 8]
    first = trainer(tmp_path / "part.csv")
    first.fit((INPUTS, LABELS), epochs=2, batch_size=8)
    resumed = trainer(tmp_path / "part.csv")
    resumed.load_state_dict(*first.state_dict())
    resumed.fit((INPUTS, LABELS), epochs=5, batch_size=8)
    assert (tmp_path / "part.csv").read_text() == (tmp_path / "whole.csv").read_text()


def test_looking_changes_nothing(tmp_path):
    watched = trainer(tmp_path / "layers.csv")
    alone = Trainer(watched_free := network(), losses.SoftmaxCrossEntropy(),
                    optimizers.SGD(watched_free.parameters(), 0.1))
    for run in (watched, alone):
        run.fit((INPUTS, LABELS), epochs=3, batch_size=8)
    for name, array in alone.model.state_dict().items():
        np.testing.assert_array_equal(array, watched.model.state_dict()[name])


@pytest.mark.parametrize("every_layer", [False, True])
def test_layers_are_left_alone_after_a_failure(tmp_path, every_layer):
    run = trainer(tmp_path / "layers.csv")
    run.model.layers[-1].parameters()[0].data[0, 0] = np.nan
    with pytest.raises(NonFiniteLossError, match="dense_1"):
        if every_layer:
            with detect_anomaly(run):
                run.fit((INPUTS, LABELS), epochs=1)
        else:
            run.fit((INPUTS, LABELS), epochs=1)
    assert not any("forward" in vars(layer) for layer in run.model.layers)


def test_a_step_that_fails_leaves_nothing_for_the_next_fit(tmp_path):
    class Stumble(Callback):
        def on_loss(self, trainer, x, loss):
            if (trainer.epoch - 1) * trainer.batches + trainer.batch + 1 == 4 and not self.fell:
                self.fell = True
                raise KeyboardInterrupt

    stumble = Stumble()
    stumble.fell = False
    run = trainer(tmp_path / "layers.csv", stumble)
    with pytest.raises(KeyboardInterrupt):
        run.fit((INPUTS, LABELS), epochs=5, batch_size=8)
    run.batch = 0
    run.fit((INPUTS, LABELS), epochs=5, batch_size=10)
    table = pd.read_csv(tmp_path / "layers.csv")
    assert all(step & (step - 1) == 0 for step in table["step"])
    assert not table["upstream_norm"].isna().any()


def test_figures_beyond_all_range_are_left_out(tmp_path):
    model = Sequential([layers.Dense(3)], input_shape=(2,), dtype="float32")
    record = LayerStatisticsFile(tmp_path / "layers.csv")
    model.parameters()[0].data[...] = 3e38
    small = np.full((4, 2), 1e-30, np.float32)  # products of 3e8, gradients of 1e-31
    run = Trainer(model, losses.SoftmaxCrossEntropy(), optimizers.SGD(model.parameters(), 1e-9),
                  callbacks=[record])
    run.fit((small, np.array([0, 1, 2, 0])), epochs=1, batch_size=4)
    (row,) = record.rows
    assert 0 < row["gradient_norm"] < np.inf
    assert row["weight_norm"] == pytest.approx(3e38 * math.sqrt(6), rel=1e-6)
    write_tensors(tmp_path / "a.safetensors", "checkpoint", run.state_dict()[0], {})
    record.rows.clear()
    model = Sequential([layers.ReLU(), layers.Dense(3)], input_shape=(2,))
    run = Trainer(model, losses.SoftmaxCrossEntropy(), optimizers.SGD(model.parameters(), 1e-9),
                  callbacks=[record])
    run.fit((np.full((4, 2), -np.inf, np.float32), np.array([0, 1, 2, 0])), epochs=1)
    assert record.rows[0]["output_mean"] == 0
    write_tensors(tmp_path / "a.safetensors", "checkpoint", run.state_dict()[0], {})


def test_a_state_does_not_change_while_training_goes_on(tmp_path):
    run = trainer(tmp_path / "layers.csv")
    run.fit((INPUTS, LABELS), epochs=1, batch_size=20)
    state = run.callbacks[-1].state_dict()
    before = len(state["rows"])
    run.fit((INPUTS, LABELS), epochs=2, batch_size=20)
    assert len(state["rows"]) == before < len(run.callbacks[-1].rows)


@pytest.mark.parametrize("change", [
    lambda row: row.pop("step"), lambda row: row.update(layer=3),
    lambda row: row.update(layer="\ud800"), lambda row: row.update(output_mean="x"),
])
def test_rows_of_another_table_are_refused(tmp_path, change):
    run = trainer(tmp_path / "layers.csv")
    run.fit((INPUTS, LABELS), epochs=1, batch_size=20)
    rows = [dict(row) for row in run.callbacks[-1].rows]
    change(rows[2])
    with pytest.raises(ValueError, match="expected (rows of step, epoch, layer|another )"):
        LayerStatisticsFile(tmp_path / "layers.csv").load_state_dict({"rows": rows})
