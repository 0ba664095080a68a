"""What the pictures are made of, and that it can be seen on them."""

import io

import numpy as np
import pandas as pd
import pytest
from fabricated_run import answers, network, running_statistics
from PIL import Image

from minicnn import Sequential, layers, use_backend, viewing
from minicnn.data import Split
from minicnn.viewing.charts import COLOURS
from minicnn.viewing.confusion import confusion_cells
from minicnn.viewing.evidence import COVER, covered
from minicnn.viewing.feature_maps import liveliest
from minicnn.viewing.mistakes import source_of
from minicnn.viewing.scales import EVIDENCE, STRENGTH, WEIGHT, Scale
from minicnn.viewing.tiles import GAP, enlargement, tile


@pytest.fixture(autouse=True)
def nothing_to_compile():
    with use_backend("reference"):
        yield


def pixels_of(figure):
    picture = viewing.Picture.of_figure("chart", figure, "A chart.")
    return np.asarray(Image.open(io.BytesIO(picture.png)).convert("RGB")).astype(int)


def count(pixels, colour):
    """Pixels close to a colour like ``#0072B2``."""
    wanted = [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
    return int((np.abs(pixels - wanted).max(axis=2) < 12).sum())


@pytest.mark.parametrize("epochs", [1, 2, 40])
def test_curves_are_visible_however_short(epochs):
    number = np.arange(1, epochs + 1)
    curves = [viewing.Curve(number, 1 / number, COLOURS[0], "training"),
              viewing.Curve(number, 0.5 / number, COLOURS[1], "validation")]
    pixels = pixels_of(viewing.draw_curves(curves, best_epoch=1, percent=True))
    plot = pixels[pixels.shape[0] // 6 :]  # below the key
    assert count(plot, COLOURS[0]) > 50
    assert count(plot, COLOURS[1]) > 50


def test_a_curve_without_values_is_left_out():
    number = np.arange(1, 4)
    curves = [viewing.Curve(number, 1 / number, COLOURS[0], "training"),
              viewing.Curve(number, np.full(3, np.nan), COLOURS[1], "validation")]
    pixels = pixels_of(viewing.draw_curves(curves))
    assert count(pixels, COLOURS[0]) > 50
    assert count(pixels, COLOURS[1]) == 0


def test_curves_without_labels_have_no_key():
    number = np.arange(1, 4)
    assert not viewing.draw_curves([viewing.Curve(number, number, COLOURS[0])]).legends


def test_confusion_chart_holds_counts_and_shares():
    figure = viewing.draw_confusion([[3, 1], [0, 0]], (r"$\frac{$", "b"))
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.texts] == ["75%\n3", "25%\n1", "·", "·"]
    assert pixels_of(figure).std() > 1


@pytest.mark.parametrize(("row", "rounded"), [
    ([199, 1], ["100", "<1"]), ([993, 7], ["99", "1"]), ([999, 1], ["100", "<1"]),
    ([0, 0], ["0", "0"]), ([2, 0], ["100", "0"])])
def test_a_share_is_not_rounded_to_none(row, rounded):
    assert [cell.rounded for cell in confusion_cells([row, row])[0]] == rounded


def test_running_statistics_have_a_strip_a_layer():
    table = running_statistics(network(), epochs=3)
    table.loc[0, "variance_least"] = 0.0  # a dead channel has no logarithm
    for statistic in ("mean", "variance"):
        figure = viewing.draw_running_statistics(table, statistic)
        assert [axes.get_title(loc="left") for axes in figure.axes] == [
            "batchnorm_1", "batchnorm_2"
        ]
        drawn = figure.axes[1].lines[0].get_xydata()
        rows = table[table["layer"] == "batchnorm_2"]
        np.testing.assert_allclose(drawn, rows[["epoch", statistic]])
        assert count(pixels_of(figure), COLOURS[0]) > 50


@pytest.mark.parametrize(("least", "greatest"), [
    (1.1, 1.9), (0.35, 2.9), (0.08, 1.1), (0.4, 55), (1e-5, 1e4)])
def test_a_logarithmic_axis_has_some_numbers(least, greatest):
    table = running_statistics(network(), epochs=3)
    table["variance_least"], table["variance_greatest"] = least, greatest
    table["variance"] = greatest
    for axes in viewing.draw_running_statistics(table, "variance").axes:
        low, high = axes.get_ylim()
        shown = [tick for tick in axes.get_yticks() if low <= tick <= high]
        assert 2 <= len(shown) <= 6


def test_mistakes_are_those_of_a_plain_search():
    rng = np.random.default_rng(5)
    evaluation = answers(rng.integers(0, 7, 60), rng)
    found = viewing.confident_mistakes(evaluation, 5)
    table = pd.DataFrame({
        "label": evaluation.labels, "prediction": evaluation.predictions,
        "probability": evaluation.probabilities.max(axis=1),
    })
    expected = table[table.label != table.prediction].nlargest(5, "probability")
    assert [mistake.index for mistake in found] == list(expected.index)
    assert [mistake.prediction for mistake in found] == list(expected.prediction)
    assert [mistake.probability for mistake in found] == list(expected.probability)
    for mistake in found:
        row = evaluation.probabilities[mistake.index]
        assert mistake.label_probability == row[evaluation.labels[mistake.index]]


def test_feature_maps_end_each_block():
    model = network()
    x = np.random.default_rng(2).normal(size=(48, 48, 1))
    blocks = viewing.block_maps(model, x)
    assert [block.layer for block in blocks] == ["maxpool2d_1", "maxpool2d_2"]
    y = x[None].astype(np.float32)
    for layer in model.layers[:4]:
        y = layer.forward(y)
    np.testing.assert_array_equal(blocks[0].maps, y[0])
    assert blocks[1].maps.shape == (3, 3, 20)


def test_feature_maps_without_pooling_follow_each_convolution():
    model = Sequential([layers.Conv2D(2), layers.ReLU(), layers.Conv2D(3)], (6, 6, 1))
    blocks = viewing.block_maps(model, np.ones((6, 6, 1)))
    assert [block.layer for block in blocks] == ["conv2d_1", "conv2d_2"]
    np.testing.assert_array_equal(blocks[1].maps, model.forward(np.ones((1, 6, 6, 1)))[0])


@pytest.mark.parametrize("shape", [(9, 9, 1), (8, 8), (1, 8, 8, 1)])
def test_feature_maps_are_those_of_an_image_that_fits(shape):
    model = Sequential([layers.Conv2D(2), layers.MaxPool2D(2)], (8, 8, 1))
    with pytest.raises(ValueError, match=r"block_maps: expected an image \(8, 8, 1\), got \("):
        viewing.block_maps(model, np.zeros(shape))


def test_feature_maps_shown_are_the_liveliest():
    maps = np.zeros((6, 6, 30))
    maps[2, 3] = np.arange(30)  # channel 0 is constant, 29 varies most
    assert liveliest(maps).tolist() == list(range(14, 30))
    sheet = viewing.draw_feature_maps(maps)
    assert sheet.shape == (2 * (48 + GAP) - GAP, 8 * (48 + GAP) - GAP, 4)
    peaks = sheet[2 * 8 :: 48 + GAP, 3 * 8 :: 48 + GAP, :3].astype(int).sum(axis=2).ravel()
    assert (np.diff(peaks) > 0).all()  # one scale: the stronger is the brighter
    assert peaks[0] > sheet[0, 0, :3].astype(int).sum()


@pytest.mark.parametrize(("side", "size", "expected"), [
    (3, 72, 8), (6, 72, 8), (12, 72, 6), (24, 72, 3), (48, 72, 2), (200, 72, 1)])
def test_small_maps_are_not_blown_up(side, size, expected):
    assert enlargement(side, side, size) == enlargement(1, side, size) == expected


def test_filters_tell_for_from_against():
    weights = np.array([0.5, -1.0, 0.0]).reshape(1, 1, 1, 3)
    sheet = viewing.draw_filters(weights)
    size = (sheet.shape[1] - 2 * GAP) // 3
    assert size == 36
    light, black, grey = (sheet[0, place * (size + GAP), :3].tolist() for place in range(3))
    assert (light, black) == ([192] * 3, [0] * 3)
    assert grey in ([127] * 3, [128] * 3)


def test_scales():
    values = np.array([[-1.0, 0.0], [3.0, 1.0]])
    ends = Scale.of(values, WEIGHT)
    assert (ends.least, ends.greatest) == (-1, 3)
    assert ends.share(values).tolist() == [[0, 0.25], [1, 0.5]]
    assert ends.share(np.array([-7, 7])).tolist() == [0, 1]
    around = Scale.around_zero(values, WEIGHT)
    assert (around.least, around.greatest) == (-3, 3)
    assert around.gradient.startswith("linear-gradient(to right, #000000, ")
    assert around.gradient.endswith("#ffffff)")
    for colours, grey in ((WEIGHT, 0.5), (STRENGTH, 0.0)):
        nothing = Scale.around_zero(np.zeros(3), colours)
        assert nothing.share(np.zeros(3)).tolist() == [grey] * 3


def test_first_filters():
    model = network()
    name, weights = viewing.first_filters(model)
    assert name == "conv2d_1"
    np.testing.assert_array_equal(weights, model.state_dict()["conv2d_1.w"])
    assert viewing.first_filters(network(convolutions=False)) is None


def test_tiles_are_enlarged_and_set_apart():
    images = np.arange(3 * 2 * 1 * 3, dtype=np.uint8).reshape(3, 2, 1, 3)
    sheet = tile(images, columns=2, factor=2)
    assert sheet.shape == (4 + GAP + 4, 2 + GAP + 2, 4)
    for number, (top, left) in enumerate([(0, 0), (0, 2 + GAP), (4 + GAP, 0)]):
        block = sheet[top : top + 4, left : left + 2]
        assert (block[:2, :, :3] == images[number, 0]).all()
        assert (block[2:, :, :3] == images[number, 1]).all()
        assert (block[..., 3] == 255).all()
    assert sheet[..., 3].sum() == 3 * 8 * 255


def test_a_saved_picture_is_its_bytes(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 4), np.uint8)
    picture = viewing.Picture.of_pixels("face", pixels, "A face.")
    path = picture.save(tmp_path)
    assert path == tmp_path / "face.png"
    assert path.read_bytes() == picture.png
    np.testing.assert_array_equal(np.asarray(Image.open(path)), pixels)


def test_evidence_covers_its_place_and_no_more():
    image = np.full((48, 48), 100, np.uint8)
    values = np.zeros((3, 4))
    values[0, 3], values[2, 0] = 2.0, 1.0
    shown = covered(image, values, 2.0).astype(float)
    orange = np.array(EVIDENCE(1.0)[:3]) * 255
    for (rows, columns), share in {
        ((0, 16), (36, 48)): COVER, ((32, 48), (0, 12)): COVER / 2, ((16, 32), (0, 48)): 0,
    }.items():
        block = shown[slice(*rows), slice(*columns)]
        expected = (1 - share) * 100 + share * orange
        np.testing.assert_allclose(block, np.broadcast_to(expected, block.shape), atol=0.5)
    np.testing.assert_array_equal(covered(image, np.zeros((5, 5)), 0.0), 100)


def test_where_a_picture_stands():
    images, labels = np.zeros((2, 48, 48), np.uint8), np.zeros(2, np.int64)
    assert source_of(Split(images, labels), 1, "validation") == "validation image 2"
    named = Split(images, labels, np.array(["data row 5", "train/happy/1.png"]))
    assert [source_of(named, place, "test") for place in (0, 1)] == [
        "data row 5", "train/happy/1.png"]
