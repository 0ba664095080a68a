"""Experiments: what TOML may say, and what is said about what it may not."""

import numpy as np
import pytest

from minicnn import InputError
from minicnn.training import experiment_names, read_experiment

MINIMAL = 'name = "mine"\n[model]\nname = "drawn_faces"\n'


def write(tmp_path, text):
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_built_in_experiments_are_sound():
    assert {"drawn-faces", "paper-bn", "paper-plain"} <= set(experiment_names())
    for name in experiment_names():
        assert read_experiment(name).name == name


def test_paper_plain_differs_from_paper_bn_by_batch_norm_alone():
    one, other = (read_experiment(name).model_dump() for name in ("paper-bn", "paper-plain"))
    assert one.pop("name") != other.pop("name")
    assert one.pop("description") != other.pop("description")
    assert one["model"].pop("batch_norm")
    assert not other["model"].pop("batch_norm")
    assert one == other


def test_toml_round_trip(tmp_path):
    first = read_experiment(write(tmp_path, MINIMAL + """
dropout = 0.25
[augmentation]
flip = true
shift = 0.1
[optimizer]
name = "sgd"
lr = 0.1
momentum = 0.9
[schedule]
name = "cosine"
warmup = 1
[training]
class_weights = [1.0, 2.0, 1.0, 1.0, 1.0, 1.0, 0.5]
"""))
    again = read_experiment(write(tmp_path, first.to_toml()))
    assert again == first
    assert first.build_schedule().epochs == first.training.epochs
    assert first.build_augmentation().flip
    assert first.build_optimizer(first.build_model().parameters()).momentum == 0.9


def test_layers_may_be_listed(tmp_path):
    experiment = read_experiment(write(tmp_path, """
name = "mine"
[model]
layers = [
    {type = "Conv2D", filters = 4, kernel_size = [3, 5], stride = 2, padding = [[1, 0], [2, 2]]},
    {type = "ReLU"},
    {type = "GlobalAvgPool2D"},
    {type = "Dense", units = 7, weight_initializer = {name = "normal", std = 0.5}},
]
"""))
    model = experiment.build_model()
    assert [layer.name for layer in model.layers][-1] == "dense_1"
    assert model.layers[0].output_shape((48, 48, 1)) == (24, 24, 4)
    assert read_experiment(write(tmp_path, experiment.to_toml())) == experiment


def test_balanced_class_weights_make_every_class_count_alike():
    experiment = read_experiment("drawn-faces").changed(training={"class_weights": "balanced"})
    labels = np.repeat(np.arange(7), [1, 2, 3, 4, 5, 6, 7])
    weights = experiment.class_weights(labels)
    np.testing.assert_allclose(weights * np.bincount(labels), 28 / 7)


@pytest.mark.parametrize(("text", "message"), [
    (MINIMAL + "colour = 3\n", r"mine\.toml: model\.colour: unknown key; expected some of name, "),
    ("speed = 3\n" + MINIMAL, r"mine\.toml: speed: unknown key; expected some of name, "),
    (MINIMAL + "[training]\nepochs = 0\n", r"training\.epochs: .*greater than or equal to 1.*0"),
    (MINIMAL + '[training]\nepochs = "two"\n', r"training\.epochs: .*integer.*'two'"),
    (MINIMAL + "[training]\nepochs = 2.5\n", r"training\.epochs: .*2\.5"),
    (MINIMAL + '[training]\nclass_weights = "some"\n', r"training\.class_weights: .*'some'"),
    (MINIMAL + "[training]\nclass_weights = [1.0]\n", r"expected 7 numbers above 0, got \[1\.0\]"),
    (MINIMAL + '[optimizer]\nname = "adamm"\n', r"optimizer: expected one of sgd, .*'adamm'"),
    (MINIMAL + '[optimizer]\nname = "sgd"\nbeta1 = 0.9\n', r"optimizer: sgd .*setting 'beta1'"),
    (MINIMAL + '[optimizer]\nname = "adam"\nlr = -1.0\n', r"optimizer: Adam: lr must lie in"),
    (MINIMAL + '[optimizer]\nname = "sgd"\nmomentum = 0.9\nnesterov = "no"\n',
     "nesterov must be True or False, got 'no'"),
    (MINIMAL + '[optimizer]\nname = "adam"\ndecay_all = 1\n', "decay_all must be True or False"),
    ('name = "mine"\n[model]\nlayers = [{type = "Conv2D", filters = 2, use_bias = "no"}]\n',
     "layer 1: Conv2D: use_bias must be True or False, got 'no'"),
    (MINIMAL + '[schedule]\nname = "step"\n', r"schedule: step needs the setting 'every'"),
    (MINIMAL + '[schedule]\nname = "sine"\n', r"schedule: expected one of constant, "),
    (MINIMAL + "[augmentation]\nblur = 1\n", r"augmentation: augmentation has no setting 'blur'"),
    (MINIMAL + "[augmentation]\nshift = 3.0\n", r"augmentation: .*shift"),
    ('name = "mine"\n[model]\nname = "resnet"\n', r"model\.name: expected one of paper, "),
    ('name = "mine"\n[model]\nlayers = [{type = "Conv3D"}]\n',
     r"model: layer 1: expected one of Conv2D, .*'Conv3D'"),
    ('name = "mine"\n[model]\nlayers = [{type = "Dense", units = 7}]\n', "put a Flatten before"),
    ('name = "mine"\n[model]\nlayers = [{type = "Flatten"}]\n', "expected 7 outputs"),
    ('name = "mine"\n[model]\n', "either a name or a list of layers"),
    ('name = "mine"\n', "model: missing"),
    (MINIMAL.replace("mine", "../mine"), r"name: .*'\.\./mine'"),
    (MINIMAL + '[optimizer]\nlr = "fast"\n', "optimizer: Adam: lr must be a number, got 'fast'"),
    (MINIMAL + "[training]\nclass_weights = [0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]\n",
     r"training\.class_weights: expected 7 numbers above 0"),
    ('name = "mine"\n[model]\nlayers = [{type = "Conv2D", filters = 1000000000000}]\n',
     "model: does not fit into memory"),
    ("name = \n", "expected TOML"),
    ("", "missing"),
])
def test_what_cannot_be_used_is_named(tmp_path, text, message):
    with pytest.raises(InputError, match=message) as caught:
        read_experiment(write(tmp_path, text))
    assert "mine.toml" in str(caught.value)


def test_unknown_experiments_and_binary_files_are_refused(tmp_path):
    with pytest.raises(InputError, match="no such experiment"):
        read_experiment("paper-nb")
    with pytest.raises(InputError, match="got a folder"):
        read_experiment(tmp_path)
    path = tmp_path / "binary.toml"
    path.write_bytes(b"\xff\x00\x01")
    with pytest.raises(InputError, match="expected TOML"):
        read_experiment(path)
