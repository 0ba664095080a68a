"""The summary's numbers, counted by hand."""

import numpy as np
import pytest

from minicnn import Sequential, layers
from minicnn.summary import human_bytes, summarize


def model(dtype: str = "float32") -> Sequential:
    """A small network."""
    return Sequential(
        [layers.Conv2D(5, (3, 2), stride=2, padding="valid"), layers.BatchNorm(), layers.ReLU(),
         layers.MaxPool2D(2), layers.Flatten(), layers.Dense(3, use_bias=False)],
        input_shape=(9, 8, 2), dtype=dtype,
    )


def test_rows() -> None:
    rows = [(row.name, row.kind, row.output_shape, row.parameters, row.multiply_adds,
             row.activation_bytes) for row in model().summarize().rows]
    assert rows == [
        ("conv2d_1", "Conv2D", (4, 4, 5), 3 * 2 * 2 * 5 + 5, 4 * 4 * 5 * 3 * 2 * 2, 320),
        ("batchnorm_1", "BatchNorm", (4, 4, 5), 10, 80, 320),
        ("relu_1", "ReLU", (4, 4, 5), 0, 0, 320),
        ("maxpool2d_1", "MaxPool2D", (2, 2, 5), 0, 0, 80),
        ("flatten_1", "Flatten", (20,), 0, 0, 80),
        ("dense_1", "Dense", (3,), 60, 60, 12),
    ]


def test_totals() -> None:
    assert model().summarize().totals == {
        "parameters": 135, "multiply_adds": 960 + 80 + 60, "activation_bytes": 1132}
    assert model("float64").summarize().totals["activation_bytes"] == 2 * 1132


def test_it_counts_without_building() -> None:
    stack = [layers.Dense(10**9), layers.BatchNorm()]  # 36 GB of weights
    totals = summarize(stack, (8,), np.dtype("float32")).totals
    assert totals["parameters"] == 8 * 10**9 + 10**9 + 2 * 10**9
    assert [layer.input_shape for layer in stack] == [None, None]


def test_the_table_shows_every_row_and_the_totals(capsys: pytest.CaptureFixture) -> None:
    model().summary()
    printed = capsys.readouterr().out
    lines = printed.splitlines()
    assert max(map(len, lines)) <= 100
    for row in model().summarize().rows:
        (line,) = [line for line in lines if row.name in line]
        assert str(row.output_shape) in line
        assert f" {row.multiply_adds:,} " in line
    (total,) = [line for line in lines if "total" in line]
    assert " 135 " in total
    assert " 1,100 " in total
    assert "1.1 KiB" in total


def test_as_text_it_holds_no_terminal_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b" not in str(model().summarize())


@pytest.mark.parametrize(("count", "expected"), [
    (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (589_824, "576.0 KiB"),
    (3 << 20, "3.0 MiB"), (5 << 40, "5120.0 GiB"),
])
def test_human_bytes(count: int, expected: str) -> None:
    assert human_bytes(count) == expected
