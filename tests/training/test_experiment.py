"""Experiments: what TOML may say, and what is said about what it may not."""

import copy
import inspect
import pickle
import tomllib
from dataclasses import FrozenInstanceError
from pathlib import Path

import numpy as np
import pydantic
import pytest

from minicnn import InputError, initializers, layers, optimizers, schedules
from minicnn.layers import Layer
from minicnn.training import Experiment, experiment_names, read_experiment

MINIMAL = 'name = "mine"\n[model]\nname = "drawn_faces"\n'
SINGLE = 'name = "mine"\n[model]\nlayers = [{LAYER}]\n'
WITHOUT_WEIGHTS = """
name = "mine"
[model]
layers = [{type = "AvgPool2D", size = [48, 6], stride = [48, 7]}, {type = "Flatten"}]
"""


def write(tmp_path, text):
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_built_in_experiments_are_sound():
    assert {"drawn-faces", "paper-bn", "paper-plain"} <= set(experiment_names())
    for name in experiment_names():
        assert read_experiment(name).name == name


@pytest.mark.parametrize("names", [
    ("paper-bn", "paper-plain"), ("drawn-faces", "drawn-faces-plain")])
def test_a_plain_experiment_differs_by_batch_norm_alone(names):
    one, other = (read_experiment(name).model_dump() for name in names)
    assert one.pop("name") != other.pop("name")
    assert one.pop("description") != other.pop("description")
    assert one["model"].pop("batch_norm", True)  # a model's default
    assert not other["model"].pop("batch_norm")
    assert one == other


@pytest.mark.parametrize("kind", ["layernorm", "groupnorm"])
def test_an_experiment_of_another_norm_differs_by_its_norm_alone(kind):
    one, other = (read_experiment(name) for name in ("drawn-faces", f"drawn-faces-{kind}"))
    usual, new = one.build().model, other.build().model
    for before, after in zip(usual.config()["layers"], new.config()["layers"], strict=True):
        assert before == after or (before["type"], after["type"].lower()) == ("BatchNorm", kind)
    for before, after in zip(usual.parameters(), new.parameters(), strict=True):
        np.testing.assert_array_equal(before.data, after.data)
    settings = [each.model_dump() for each in (one, other)]
    for each in settings:
        del each["name"], each["description"], each["model"]
    assert settings[0] == settings[1]


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
    plan = first.build()
    assert plan.schedule.epochs == first.training.epochs
    assert plan.augmentation.flip
    assert plan.optimizer.momentum == 0.9
    assert plan.optimizer.parameters == plan.model.parameters()


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
    model = experiment.build().model
    assert [layer.name for layer in model.layers][-1] == "dense_1"
    assert model.layers[0].output_shape((48, 48, 1)) == (24, 24, 4)
    assert read_experiment(write(tmp_path, experiment.to_toml())) == experiment


def test_every_build_gives_parts_of_its_own():
    experiment = read_experiment("drawn-faces")
    first, second = experiment.build(), experiment.build()
    assert first.model is not second.model
    assert first.schedule is not second.schedule
    for one, other in zip(first.model.parameters(), second.model.parameters(), strict=True):
        np.testing.assert_array_equal(one.data, other.data)
        assert not np.shares_memory(one.data, other.data)
    with pytest.raises(FrozenInstanceError):
        first.model = second.model


def test_an_experiment_is_plain_data():
    fresh = read_experiment("drawn-faces")
    read = read_experiment("drawn-faces")
    read.build()
    changed = read.model_copy(update={"seed": 7})
    assert changed.build().model.seed == 7
    assert copy.copy(read).build().model is not read.build().model
    assert set(dict(read)) == set(vars(read)) == set(Experiment.model_fields)
    assert read == fresh
    assert pickle.dumps(read) == pickle.dumps(fresh)
    assert len(pickle.dumps(read)) < 2000


def test_no_array_is_made_to_check_an_experiment(tmp_path, monkeypatch):
    monkeypatch.setattr(Layer, "build", lambda *_, **__: pytest.fail("a layer is built"))
    listed = write(tmp_path, 'name = "mine"\n[model]\nlayers = [{type = "Flatten"}, '
                             '{type = "Dense", units = 7}]\n')
    for name in [listed, *experiment_names()]:
        options = {"training.epochs": 9, "optimizer.lr": 0.1, "seed": 4}
        assert read_experiment(name).with_options(options).completed().seed == 4


def test_the_data_of_a_plan_are_loaded_once_and_when_asked_for(monkeypatch):
    loads = []
    monkeypatch.setattr(Experiment, "load_data", lambda self: loads.append(self.name) or "images")
    plan = read_experiment("drawn-faces").build()
    assert not loads
    assert plan.data == plan.data == "images"
    assert loads == ["drawn-faces"]


def test_balanced_class_weights_make_every_class_count_alike():
    experiment = read_experiment("drawn-faces").changed(training={"class_weights": "balanced"})
    labels = np.repeat(np.arange(7), [1, 2, 3, 4, 5, 6, 7])
    weights = experiment.class_weights(labels)
    np.testing.assert_allclose(weights * np.bincount(labels), 28 / 7)
    weights = experiment.class_weights(labels[labels != 3])
    assert weights[3] == 1
    np.testing.assert_allclose(np.delete(weights * np.bincount(labels), 3), 24 / 7)


@pytest.mark.parametrize(("text", "message"), [
    (MINIMAL + "colour = 3\n", r"mine\.toml: model\.colour: unknown key; expected some of name, "),
    ("speed = 3\n" + MINIMAL, r"mine\.toml: speed: unknown key; expected some of name, "),
    (MINIMAL + "[training]\nepochs = 0\n", "training.epochs: expected at least 1, got 0"),
    (MINIMAL + '[training]\nepochs = "two"\n', "training.epochs: expected an integer, got 'two'"),
    (MINIMAL + "[training]\nepochs = 2.5\n", "training.epochs: expected an integer, got 2.5"),
    (MINIMAL + '[training]\nclass_weights = "some"\n',
     "training.class_weights: expected 'none', 'balanced' or 7 numbers above 0, got 'some'"),
    (MINIMAL + "[training]\nclass_weights = [1.0]\n", r"or 7 numbers above 0, got \[1\.0\]"),
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
    ('name = "mine"\n', "model: expected a value, got nothing"),
    (MINIMAL.replace("mine", "../mine"), r"name: .*'\.\./mine'"),
    (MINIMAL + '[optimizer]\nlr = "fast"\n', "optimizer: Adam: lr must be a number, got 'fast'"),
    (MINIMAL + "[training]\nclass_weights = [0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]\n",
     r"training\.class_weights: expected 'none', 'balanced' or 7 numbers above 0"),
    (MINIMAL + '[training]\nclass_weights = [1, 1, 1, 1, 1, 1, "a"]\n', "numbers above 0, got"),
    (MINIMAL + "[data]\nsource = 3\n", "data.source: expected 'drawn-faces' or 'fer2013', got 3"),
    (MINIMAL + "[optimizer]\n[schedule]\nx = " + 3000 * "[" + 3000 * "]",
     "lists at most 20 deep, got deeper ones"),
    ("optimizer = 3\n" + MINIMAL, "optimizer: expected a table, got 3"),
    ("data = 3\n" + MINIMAL, "data: expected a table, got 3"),
    ('name = "mine"\n[model]\nlayers = [3]\n', "model.layers.item 1: expected a table, got 3"),
    ("seed = -1\n" + MINIMAL, "seed: expected at least 0, got -1"),
    (MINIMAL + "dropout = 1.0\n", "model.dropout: expected less than 1.0, got 1.0"),
    (MINIMAL + 'batch_norm = "yes"\n', "model.batch_norm: expected true or false, got 'yes'"),
    ("name = 3\n[model]\nname = 'paper'\n", "name: expected a text, got 3"),
    (MINIMAL.replace("mine", "m" * 81), "name: expected at most 80 characters"),
    ('name = "mine"\nmodel = 3\n', "model: expected a table, got 3"),
    ('name = "mine"\n[model]\nlayers = 3\n', "model.layers: expected a list, got 3"),
    ('name = "mine"\n[model]\nlayers = [{type = "Conv2D", filters = 1000000000000}]\n',
     "model: layer 1: expected at most 268,435,456 weights, got 1e\\+13"),
    (SINGLE.replace("LAYER", 'type = "Conv2D", filters = 7, kernel_size = 49, padding = "valid"'),
     "model: conv2d_1: Conv2D: "),
    (SINGLE.replace("LAYER", 'type = "Flatten"') + "seed = 1\n", "model.seed: unknown key"),
    (WITHOUT_WEIGHTS, "optimizer: Adam: there are no parameters to optimize"),
    (WITHOUT_WEIGHTS + "[optimizer]\nlr = 0\n", "optimizer: Adam: there are no parameters"),
    (MINIMAL + '[data]\npath = "fer2013.csv"\n', "data: expected source = 'fer2013' beside a path"),
    (MINIMAL + '[data]\nsource = "fer2013"\ntest = 50\n',
     "data: expected train, validation, test beside drawn faces alone"),
    ('name = "mine"\n[model]\ndropout = 0.5\nlayers = [{type = "Flatten"}]\n',
     "model: expected batch_norm and dropout beside a name, not beside a list of layers"),
    ("name = \n", "expected TOML"),
    ("", "name: expected a value, got nothing"),
])
def test_what_cannot_be_used_is_named(tmp_path, text, message):
    with pytest.raises(InputError, match=message) as caught:
        read_experiment(write(tmp_path, text))
    assert "mine.toml" in str(caught.value)
    try:
        experiment = Experiment.model_validate(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, RecursionError, pydantic.ValidationError):
        return
    with pytest.raises(InputError) as built:  # what passes the schema
        experiment.build(str(tmp_path / "mine.toml"))
    assert str(built.value) == str(caught.value)


def test_unknown_experiments_and_binary_files_are_refused(tmp_path):
    with pytest.raises(InputError, match="no such experiment"):
        read_experiment("paper-nb")
    with pytest.raises(InputError, match="got a folder"):
        read_experiment(tmp_path)
    path = tmp_path / "binary.toml"
    path.write_bytes(b"\xff\x00\x01")
    with pytest.raises(InputError, match="expected TOML"):
        read_experiment(path)


def test_a_completed_experiment_says_every_setting(tmp_path):
    experiment = read_experiment(write(tmp_path, MINIMAL + """
[augmentation]
flip = true
[optimizer]
momentum = 0.5
name = "sgd"
[schedule]
name = "cosine"
[training]
epochs = 3
"""))
    completed = experiment.completed()
    assert completed.optimizer == {
        "name": "sgd", "lr": 0.01, "momentum": 0.5, "nesterov": False, "weight_decay": 0.0,
        "decay_all": False,
    }
    assert completed.schedule == {"name": "cosine", "epochs": 3, "warmup": 0.0, "final": 0.0}
    assert completed.augmentation["flip"] is True
    assert completed.augmentation["erase"] == 0.0
    assert read_experiment(write(tmp_path, completed.to_toml())) == completed
    assert completed.completed() == completed
    plain = read_experiment(write(tmp_path, MINIMAL)).completed()
    assert plain.augmentation == {}
    assert plain.optimizer["lr"] == 0.001
    assert plain.schedule == {"name": "constant"}


def test_what_only_drawn_faces_have_is_not_said_of_others(tmp_path):
    drawn = read_experiment(write(tmp_path, MINIMAL + "[data]\ntrain = 35\n"))
    assert "train = 35\n" in drawn.completed().to_toml()
    other = drawn.with_options({"data.path": "fer2013.csv"}).completed()
    text = other.to_toml()
    for key in ("train", "validation", "test"):
        assert f"\n{key} = " not in text
    assert read_experiment(write(tmp_path, text)) == other


def test_options_are_named_as_the_user_gave_them():
    experiment = read_experiment("drawn-faces")
    for key, value, message in [
        ("training.epochs", 0, "--it: training.epochs: expected at least 1, got 0"),
        ("optimizer.lr", -1.0, r"--it: optimizer: Adam: lr must lie in \(0, inf\), got -1"),
        ("data.limit", -1, "--it: data.limit: expected at least 0, got -1"),
    ]:
        with pytest.raises(InputError, match=f"^{message}"):
            experiment.with_options({key: value}, {key: "--it"})


def test_of_several_options_the_one_at_fault_is_named():
    experiment = read_experiment("paper-bn")
    options = {"seed": 3, "optimizer.lr": 0.0, "training.epochs": 4}
    with pytest.raises(InputError, match=r"^--lr: optimizer: Adam: lr must lie in \(0, inf\)"):
        experiment.with_options(options, {key: f"--{key.split('.')[-1]}" for key in options})


def test_an_experiment_on_drawn_faces_that_is_given_data_says_so():
    drawn = read_experiment("drawn-faces").with_options({"data.path": "fer2013.csv"})
    assert (drawn.name, drawn.data.source) == ("drawn-faces-on-fer2013", "fer2013")
    assert "drawn faces" not in drawn.description
    paper = read_experiment("paper-bn")
    assert paper.with_options({"data.path": "fer2013.csv"}).name == paper.name


@pytest.mark.parametrize("table", [
    layers.LAYERS, optimizers.OPTIMIZERS, schedules.SCHEDULES, initializers.INITIALIZERS,
])
def test_the_page_on_experiments_names_every_kind_and_setting(table):
    page = (Path(__file__).parents[2] / "docs" / "experiments.md").read_text(encoding="utf-8")
    for name, kind in table.items():
        assert f'`"{name}"`' in page
        if table is not initializers.INITIALIZERS:
            for setting in inspect.signature(kind).parameters:
                assert f"`{setting}`" in page or setting == "parameters", (name, setting)
