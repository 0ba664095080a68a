"""Finding out how a student's class is meant: its layout, its readings of momentum and of rates.

It is tried on a few cases. The way in which it is right is the way that is meant; where it is right
in none, the first in which it runs and gives an answer of the right shape.
"""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from minicnn.checking.students.classes.building import by_expression, readings
from minicnn.checking.students.classes.instance import set_mode
from minicnn.checking.students.classes.style import Style, as_functions
from minicnn.checking.students.classes.vocabulary import STATE, meanings
from minicnn.checking.students.convention import Convention
from minicnn.checking.students.dialects.calls import call_by_keywords
from minicnn.checking.students.examination.settings import is_possible
from minicnn.checking.students.operations import OPERATIONS
from minicnn.checking.students.operations.batchnorm_running import right_running
from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.operations.dropout import Mask, dropout_case, is_right_in_training
from minicnn.checking.students.operations.observation import agree
from minicnn.checking.students.pair import Pair
from minicnn.checking.students.subject import Subject, Trouble

DIALECT = "class"

_IMAGES = {"x": "images", "y": "images", "dx": "images"}
_COLUMNS = dict.fromkeys(("x", "y", "dx", "w", "dw"), "transposed")
_LAYOUTS: dict[str, list[dict[str, str]]] = {
    "dense": [{}, {"w": "transposed", "dw": "transposed"}, _COLUMNS],
    "conv2d": [
        {**_IMAGES, "w": "filters", "dw": "filters"}, {},
        {"w": "filters first", "dw": "filters first"},
        {**_IMAGES, "w": "filters within", "dw": "filters within"},
    ],
    "maxpool2d": [_IMAGES, {}], "avgpool2d": [_IMAGES, {}], "batchnorm": [_IMAGES, {}],
}
_DEFAULTS: dict[str, dict[str, Any]] = {
    "conv2d": {"stride": 1, "padding": 0}, "leaky_relu": {"slope": 0.01}, "elu": {"alpha": 1.0},
}
"""What a class that takes a setting is given where a case leaves it out."""

_GRADIENTS = {
    "dense": ("dx", "dw", "db"), "conv2d": ("dx", "dw", "db"),
    "batchnorm": ("dx", "dgamma", "dbeta"), "layernorm": ("dx", "dgamma", "dbeta"),
    "softmax_cross_entropy": ("dlogits",),
}


def settled(
    cls: type, operation: str, methods: tuple[str, str], path: Path, expression: str | None
) -> Pair:
    """The pair of functions that a class is, in the way in which it seems to be meant."""
    styles = list(_styles(cls, operation, methods, expression))
    best, most = styles[0], -1.0
    for style in styles:
        if operation == "dropout":
            style = replace(style, has_evaluation=_is_told(style, "training"))
        score = _score(style, path)
        if score > most:
            best, most = style, score
        if score >= 2:
            break
    pair = pair_of(best)
    if most == 0 and any(_takes_one_image(style) for style in styles):
        name = pair.convention.forward

        def refuse(*arguments: Any, **settings: Any) -> NoReturn:
            text = f"{name} takes one image, without a batch, which no case is"
            raise Trouble(text, verdict="not-checked")

        vars(refuse).update(__signature__=_signature(best))
        pair = replace(pair, forward=refuse)
    return pair


def _takes_one_image(style: Style) -> bool:
    """Whether a layer of images runs on an image that no batch is about."""
    case = OPERATIONS[style.operation].cases[0]
    if case.arrays["x"].ndim != 4 or style.operation == "batchnorm":
        return False
    convention = pair_of(style).convention
    arrays = {name: convention.theirs(name, array) for name, array in case.arrays.items()}
    values = _values(style, arrays, dict(case.settings))
    try:
        layer = style.layer(values, arrays["x"][0])
        style.run_forward(layer, arrays["x"][0], None, values)
    except Exception:
        return False
    return True


def pair_of(style: Style, settle: Callable[[], Pair] | None = None) -> Pair:
    """A class as the pair of functions of its operation."""
    name = style.cls.__name__
    forward, backward = as_functions(style, _values)
    _be_for(forward, getattr(style.cls, style.forward), _signature(style))
    _be_for(backward, getattr(style.cls, style.backward), inspect.signature(backward))
    names = f"{name}.{style.forward}", f"{name}.{style.backward}"
    labels = {"y": "loss", "dlogits": "dx", "logits": "x", "labels": "t"}
    convention = Convention(
        DIALECT, style.operation, names[0], (names[1],),
        _GRADIENTS.get(style.operation, ("dx",)), style.layouts, call_by_keywords,
        asks=lambda case: _asks(style, case),
        labels=labels if style.operation == "softmax_cross_entropy" else {},
    )
    return Pair(convention, forward, {names[1]: backward}, settle, _note(style))


def _be_for(function: Callable[..., Any], method: Any, signature: inspect.Signature) -> None:
    """Let a function have a signature, and the source of the method that it stands for."""
    vars(function).update(__signature__=signature, __wrapped__=method)


def _note(style: Style) -> str:
    """What a class's own reading is, where minicnn's is another."""
    if style.scales_later:
        return ("note: evaluation scales where inverted dropout scales in training, as dropout was "
                "first published; judged as that")
    if style.rest_of_momentum:
        return "note: its momentum weighs the batch's statistics, as in PyTorch"
    if not style.has_evaluation or (
        style.operation == "batchnorm" and not _is_told(style, "training")
    ):
        return "note: evaluation not checked: it cannot be told of it"
    return ""


# -- the ways of using a class ------------------------------------------------------------------


def _styles(
    cls: type, operation: str, methods: tuple[str, str], expression: str | None
) -> Iterator[Style]:
    """The ways in which it may be meant, likeliest first."""
    ways = [by_expression(cls, expression)] if expression else readings(cls, operation)
    for build, given in ways:
        for layouts in _LAYOUTS.get(operation, [{}]):
            style = Style(cls, operation, *methods, build, given, layouts)
            yield from _readings_of_settings(style)


def _readings_of_settings(style: Style) -> Iterator[Style]:
    if style.operation == "batchnorm":
        momenta = (False, True) if _momentum_may_be_of_the_new(style.cls) else (False,)
        for axes in ((2, 4), (2,), (4,)):
            if 4 in axes or style.layouts:  # features have one layout
                for rest in momenta:
                    yield replace(style, axes=axes, rest_of_momentum=rest)
    elif style.operation == "layernorm":
        yield replace(style, axes=(2,))  # courses differ about images
    elif style.operation == "dropout":
        ambiguous = style.given & {"keep", "rate"}
        for keeps in (("keep" in style.given,) if "keep" in style.given else (False, True)):
            for later in (False, True):
                yield replace(style, keeps=keeps and bool(ambiguous), scales_later=later)
    elif style.operation == "softmax_cross_entropy":
        yield style
        yield replace(style, one_hot=True)
    else:
        yield style


def _momentum_may_be_of_the_new(cls: type) -> bool:
    """Whether a default below 1/2, or none, lets momentum be read as PyTorch's."""
    try:
        parameters = inspect.signature(cls).parameters
    except (TypeError, ValueError):
        return False
    found = [each.default for name, each in parameters.items()
             if "momentum" in meanings("batchnorm", name)]
    return bool(found) and not (isinstance(found[0], float) and found[0] > 0.5)


def _values(
    style: Style, arrays: dict[str, Any], settings: dict[str, Any]
) -> dict[str, Any]:
    """The arrays and settings of a case by their meaning to a constructor."""
    x = next(iter(arrays.values()))
    values: dict[str, Any] = {
        key: arrays[key].copy() for key in STATE.get(style.operation, ())  # it may change its own
    }
    if style.operation == "dense":
        columns = style.layouts.get("x") == "transposed"
        values["inputs"] = x.shape[0 if columns else 1]
        values["outputs"] = values["b"].size
    if style.operation == "conv2d":
        of_filters = {"filters": (2, 3), "filters first": (1, 2), "filters within": (1, 2)}
        first, second = of_filters.get(style.layouts.get("w", ""), (0, 1))
        height, width = values["w"].shape[first], values["w"].shape[second]
        values |= {
            "height": height, "width": width, "size": height if height == width else (
                height, width),
            "inputs": x.shape[1 if style.layouts.get("x") else 3], "outputs": values["b"].size,
        }
    if style.operation in ("batchnorm", "layernorm"):
        values["features"] = values["gamma"].size
    values = {**_DEFAULTS.get(style.operation, {}), **values, **settings}
    if "pool" in style.operation:
        size = values["size"]
        values["height"], values["width"] = size if isinstance(size, tuple) else (size, size)
    if style.rest_of_momentum and "momentum" in values:
        values["momentum"] = 1 - values["momentum"]
    if "rate" in values:
        values["keep"] = 1 - values["rate"]
        if style.keeps:
            values["rate"] = values["keep"]
    values["evaluating"] = not values.get("training", True)
    return values


def _signature(style: Style) -> inspect.Signature:
    """The arguments of minicnn's function, but for settings that the class does not take."""
    arrays = ["x", *STATE.get(style.operation, ())]
    if style.operation == "softmax_cross_entropy":
        arrays = ["logits", "labels"]
    settings = {key for case in OPERATIONS[style.operation].cases for key in case.settings}
    told = {*style.given, *style.told_at_forward.values()}
    known = [key for key in sorted(settings) if key in told or _is_told(style, key)]
    return inspect.Signature([
        *(inspect.Parameter(name, inspect.Parameter.POSITIONAL_ONLY) for name in arrays),
        *(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY) for name in known),
    ])


def _is_told(style: Style, key: str) -> bool:
    """Whether a class is told of a setting in another way than by its constructor's argument."""
    if key == "size":
        return {"height", "width"} <= {*style.given, *style.told_at_forward.values()}
    if key == "rate":
        return bool({"keep", "rate"} & style.given)
    if key == "rng" or (key == "training" and not style.has_evaluation):
        return True  # it has a generator of its own; evaluation is not asked of it
    if key in ("training", "eps", "momentum"):
        return _has(style, key)
    return False


def _has(style: Style, key: str) -> bool:
    """Whether a layer can be told of training, or keeps eps or momentum in an attribute."""
    method = getattr(style.cls, style.forward)
    if key == "training" and any(
        meanings("", name) for name in inspect.signature(method).parameters
    ):
        return True
    for case in OPERATIONS[style.operation].cases:
        try:
            layer = style.build(_values(style, dict(case.arrays), dict(case.settings)))
        except Exception:
            continue
        if key == "training":
            return set_mode(layer, True)
        return hasattr(layer, key) or (key == "eps" and hasattr(layer, "epsilon"))
    return False


def _asks(style: Style, case: Case) -> bool:
    """Whether a class is asked this: windows and rims of one number, and x of its axes."""
    settings = case.settings
    if style.operation in ("maxpool2d", "avgpool2d") and settings["padding"]:
        return False
    if any(isinstance(settings.get(key), tuple) for key in ("stride", "padding")):
        return False
    if isinstance(settings.get("size"), tuple) and "width" not in style.given:
        return False
    if style.operation == "conv2d" and "size" in style.given and (
        "w" not in {*style.given, *style.told_at_forward.values()}
    ):
        height, width = case["w"].shape[:2]
        return height == width
    return next(iter(case.arrays.values())).ndim in style.axes


# -- how right a way is --------------------------------------------------------------------------


def _score(style: Style, path: Path) -> float:
    """2 where all is right, else the share of answers that have the right shape."""
    try:
        subject = Subject(pair_of(style), path)
        if style.operation == "dropout":
            score = _score_of_dropout(subject)
            return score if score == 2 or not style.scales_later else 0.0
        cases = [case for case in OPERATIONS[style.operation].cases if is_possible(subject, case)]
        seen = [_answer(subject, case) for case in cases[:4]]
    except Exception:
        return 0.0
    if not seen:
        return 0.0
    if all(seen) and min(seen) > 1:
        return 2.0
    return sum(map(bool, seen)) / len(seen)


def _answer(subject: Subject, case: Case) -> int:
    """2 for a right answer, 1 for one of the right shape, 0 for another or none."""
    try:
        forward = subject.forward(case)
    except Trouble:
        return 0
    right = OPERATIONS[subject.convention.operation].right_forward(case)
    if forward.y.shape != right.shape:
        return 0
    answers = [agree(forward.y, right)]
    if subject.convention.operation == "batchnorm":
        answers += [
            any(agree(array, moved) for moved in right_running(case, key))
            for key, array in zip(("running_mean", "running_var"), forward.arguments[3:5],
                                  strict=True)
        ]
    return 1 + all(answers)


def _score_of_dropout(subject: Subject) -> float:
    """Whether training keeps as many as it should, with the right factor, and evaluation all."""
    case = dropout_case((67, 71), 0.3, True)
    mask = Mask.of(case["x"], subject.forward(case).y)
    if not is_right_in_training(mask, 0.7):
        return 0.5
    later = dropout_case((67, 71), 0.3, False)
    try:
        return 2.0 if agree(subject.forward(later).y, later["x"]) else 1.0
    except Trouble:
        return 1.0


