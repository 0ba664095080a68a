"""Layer by layer: which layers a measure is taken from, and that its picture can be read."""

from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from minicnn.runs.folder import RunFolder
from minicnn.runs.tables import LAYERS
from minicnn.viewing.inline_svg import inline_svg
from minicnn.viewing.layer_by_layer import (
    MEASURES,
    describe_layers,
    draw_layers,
    layer_lines,
    layer_pictures,
    value_limits,
)

SPREAD, ZEROS, GRADIENT = MEASURES


def table(names, steps=(1, 2, 4), **changes):
    """A number for each: the place of the layer, and the step behind the point."""
    rows = []
    for step in steps:
        for place, name in enumerate(names, start=1):
            weighted = name.startswith(("conv", "dense", "batch", "layer", "group"))
            number = place + step / 100
            rows.append((step, 1, name, 0.0, number, number / 100, 10 * number,
                         1.0 if weighted else np.nan, 1.0 if weighted else np.nan))
    found = pd.DataFrame(rows, columns=list(LAYERS))
    return found.assign(**changes)


PLAIN = ("conv2d_1", "relu_1", "maxpool2d_1", "flatten_1", "dense_1")
NORMAL = ("conv2d_1", "batchnorm_1", "relu_1", "maxpool2d_1", "flatten_1", "dense_1")


def test_each_measure_is_of_the_part_that_belongs_to_a_layer_with_weights():
    plain = layer_lines(table(PLAIN))
    assert {name: list(lines) for name, lines in plain.items()} == {
        "spread": ["conv2d_1", "dense_1"], "zeros": ["conv2d_1"],
        "gradient": ["conv2d_1", "dense_1"],
    }
    assert plain["spread"].loc[4].tolist() == [1.04, 5.04]
    assert plain["zeros"].loc[2].tolist() == pytest.approx([0.0202])
    normal = layer_lines(table(NORMAL), ["batchnorm_1"])
    assert normal["spread"].loc[1].tolist() == [2.01, 6.01]
    assert normal["zeros"].loc[1].tolist() == pytest.approx([0.0301])
    assert normal["gradient"].loc[1].tolist() == pytest.approx([10.1, 60.1])


def test_batch_norm_elsewhere_is_not_taken_for_what_the_activation_is_given():
    lines = layer_lines(table(("dense_1", "relu_1", "batchnorm_1", "dense_2")), ["batchnorm_1"])
    assert lines["spread"].loc[1].tolist() == [1.01, 4.01]
    assert list(layer_lines(table(("conv2d_1", "dense_1")))["zeros"]) == []


def test_steps_come_in_order_and_a_repeated_one_counts_once():
    twice = pd.concat([table(PLAIN, (4, 1)), table(PLAIN, (4,))])
    assert layer_lines(twice)["spread"].index.tolist() == [1, 4]


def svg_of(lines, measure, **options):
    return ElementTree.fromstring(inline_svg("x", draw_layers(lines, measure, **options), ""))


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("steps", [(1,), (1, 2), tuple(2**power for power in range(15))])
def test_every_line_has_its_name(measure, steps):
    names = [f"conv2d_{place}" for place in range(1, 31)] + ["relu_1"]
    lines = layer_lines(table(names, steps))[measure.name]
    found = {element.text: element for element in svg_of(lines, measure).iter("text")}
    assert set(lines) <= set(found)
    heights = sorted(float(found[name].get("y")) for name in lines)
    assert (np.diff(heights) >= 13).all()


def test_names_with_markup_are_text():
    lines = layer_lines(table(["conv_<b>&$x$"]))["spread"]
    assert "conv_<b>&$x$" in [element.text for element in svg_of(lines, SPREAD).iter("text")]


@pytest.mark.parametrize("bad", [np.nan, np.inf, 0.0, -1.0])
def test_values_without_a_place_on_the_axis_leave_a_gap(bad):
    numbers = table(PLAIN)
    numbers.loc[numbers["step"] == 2, ["output_deviation", "upstream_norm"]] = bad
    numbers.loc[numbers["layer"] == "dense_1", ["output_deviation", "upstream_norm"]] = bad
    lines = layer_lines(numbers)
    for measure in (SPREAD, GRADIENT):
        names = {element.text for element in svg_of(lines[measure.name], measure).iter("text")}
        assert "conv2d_1" in names and "dense_1" not in names
        low, high = value_limits([lines[measure.name]], measure)
        assert 0 < low < high < np.inf


def test_common_limits_hold_all_runs():
    few, many = (layer_lines(table(PLAIN, output_deviation=number))["spread"]
                 for number in (0.01, 50.0))
    low, high = value_limits([few, many], SPREAD)
    assert low < 0.01 and high > 50
    assert value_limits([few], ZEROS) == (0, 1)


def test_what_it_shows_is_said_in_words():
    said = describe_layers(layer_lines(table(PLAIN))["spread"], SPREAD)
    assert "conv2d_1 1.01 at step 1, 1.04 at step 4; dense_1 5.01 at step 1" in said


@pytest.mark.parametrize("kind", ["batchnorm_1", "layernorm_1", "groupnorm_1"])
def test_without_the_table_of_batch_norm_names_tell_what_normalises(tmp_path, kind):
    names = [kind if name == "batchnorm_1" else name for name in NORMAL]
    table(names).to_csv(tmp_path / "layers.csv", index=False)
    (spread, *_) = layer_pictures([RunFolder(tmp_path)])
    assert kind not in spread.pictures[0].svg
    assert "conv2d_1 2.01 at step 1" in spread.pictures[0].description


def test_a_table_without_rows_or_weights_has_no_pictures(tmp_path):
    for numbers in (table(PLAIN, ()), table(["relu_1", "flatten_1"])):
        numbers.to_csv(tmp_path / "layers.csv", index=False)
        assert layer_pictures([RunFolder(tmp_path)]) == []


@pytest.mark.parametrize(("least", "greatest", "named"), [
    (0.9, 1.0, {"0.5", "1", "2"}), (0.9, 7.0, {"1", "2", "5"}), (0.02, 1.5, {"0.03", "0.1", "1"}),
    (1e-6, 10.0, {"0.01", "1"}),
])
def test_factors_are_named_by_plain_numbers(least, greatest, named):
    numbers = table(("dense_1", "dense_2"))
    numbers["output_deviation"] = np.where(numbers["layer"] == "dense_1", least, greatest)
    svg = svg_of(layer_lines(numbers)["spread"], SPREAD)
    assert named <= {element.text for element in svg.iter("text")}
