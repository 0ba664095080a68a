"""Update rules in students' files: what passes, what is said, and what two mistakes are called."""

from pathlib import Path

import pytest
from submission_checks import findings_of

from minicnn.checking import Finding

ADAM = '''
import numpy as np

def adam(w, dw, config=None):
    """Adam."""
    if config is None:
        config = {}
    for key, value in dict(learning_rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8,
                           m=0 * w, v=0 * w, t=0).items():
        config.setdefault(key, value)
    lr, b1, b2, eps = (config[key] for key in ("learning_rate", "beta1", "beta2", "epsilon"))
    t = config["t"] + 1
    m = b1 * config["m"] + (1 - b1) * dw
    v = b2 * config["v"] + (1 - b2) * dw**2
    mt = m / (1 - b1**t)
    vt = v / (1 - b2**t)
    next_w = w - lr * mt / (np.sqrt(vt) + eps)
    config.update(m=m, v=v, t=t)
    return next_w, config
'''

MOMENTUM = '''
import numpy as np

def sgd_momentum(w, dw, config=None):
    config = {"learning_rate": 1e-2, "momentum": 0.9, **(config or {})}
    v = config.get("velocity", np.zeros_like(w))
    v = config["momentum"] * v - config["learning_rate"] * dw
    config["velocity"] = v
    next_w = w + v
    return next_w, config
'''


@pytest.fixture
def check(tmp_path: Path):
    """The finding about a file's only function, with some edits."""
    def finding(text: str, *edits: tuple[str, str]) -> Finding:
        for old, new in edits:
            assert text.count(old) == 1
            text = text.replace(old, new)
        path = tmp_path / "optim.py"
        path.write_text(text, encoding="utf-8")
        (found,) = findings_of(path)
        return found

    return finding


@pytest.mark.parametrize("text", [ADAM, MOMENTUM])
def test_a_right_rule_passes_without_a_word(check, text: str) -> None:
    found = check(text)
    assert (found.verdict, found.fault, found.message) == ("correct", None, "")


def test_other_defaults_are_no_fault(check) -> None:
    found = check(ADAM, ("learning_rate=1e-3, beta1=0.9", "learning_rate=0.02, beta1=0.8"))
    assert found.verdict == "correct"


@pytest.mark.parametrize("start", [0, 1])
def test_t_begins_at_either_number_of_the_course(check, start: int) -> None:
    assert check(ADAM, ("t=0)", f"t={start})")).verdict == "correct"


LATE = ('t = config["t"] + 1', 't = config["t"]'), ("v=v, t=t)", "v=v, t=t + 1)")


def test_counting_after_the_use_is_right_where_t_begins_at_1(check) -> None:
    found = check(ADAM, *LATE, ("t=0)", "t=1)"))
    assert found.verdict == "correct"
    assert found.message.startswith("note: t is counted after its use")


@pytest.mark.parametrize("edits", [
    LATE,  # from 0: the first step divides by 0
    (*LATE, ("t=0)", "t=1)"), ('"""Adam."""', '"""Modify t _before_\n    using it."""')),
])
def test_counting_after_the_use_is_a_fault_otherwise(check, edits) -> None:
    assert check(ADAM, *edits).fault == "adam-step-not-counted"


@pytest.mark.parametrize(("edits", "first", "second"), [
    ([("mt / (np.sqrt(vt) + eps)", "m / np.sqrt(v + eps)")],
     "adam-bias-correction-missing", "eps-misplaced"),
    ([("v=v, t=t)", "v=v)"), ("(np.sqrt(vt) + eps)", "(vt + eps)")],
     "adam-step-not-counted", "rmsprop-root-missing"),
    ([("b1 * config[\"m\"] + (1 - b1) * dw", "(1 - b1) * config[\"m\"] + b1 * dw"),
      ("1 - b2**t", "1 - b2")], "adam-bias-power", "decay-swapped"),
])
def test_two_faults_are_both_named(check, edits, first: str, second: str) -> None:
    found = check(ADAM, *edits)
    assert (found.fault, found.also) == (first, [second])
    assert f"And {second}:" in found.message


@pytest.mark.parametrize(("edit", "words"), [
    (("dw**2", "dw"), "The gradient is not squared."),
    (("w - lr", "w + lr"), "The step goes uphill"),
    (("m=m, v=v", "m=mt, v=vt"), "The corrected moments are kept"),
    (("mt = m / (1 - b1**t)", "mt = m * (1 - b1**t)"), "The correction of the first moment mult"),
    (("vt = v / (1 - b2**t)", "vt = v / (1 - b1**t)"), "The second moment is corrected with beta1"),
    (("- lr * mt", "- mt"), "The learning rate has no part."),
    (("w - lr", "- lr"), "The step is returned, not w with the step."),
    (("mt / (np.sqrt(vt) + eps)", "mt"), "Nothing is divided by the root."),
    (("+ (1 - b2) * dw**2", "- (1 - b2) * dw**2"), "In the second moment the new part is subtr"),
])
def test_what_is_in_no_catalogue_is_said_in_words(check, edit, words: str) -> None:
    found = check(ADAM, edit)
    assert (found.verdict, found.fault) == ("wrong-forward", "unknown")
    assert words in found.message


def test_a_fault_and_a_mistake_without_a_name(check) -> None:
    found = check(ADAM, ("dw**2", "abs(dw)"), (" + eps)", ")"))
    assert found.fault == "eps-misplaced"
    assert "absolute value" in found.message


@pytest.mark.parametrize(("edit", "words"), [
    (("next_w = w + v", "next_w = w + config['momentum'] * v - config['learning_rate'] * dw"),
     "This is Nesterov's momentum"),
    (('config["velocity"] = v', 'config["speed"] = v'), "not kept"),
    (("next_w = w + v", "next_w = w + v + 0.3"), "no fault of the catalogue explains"),
])
def test_momentum_in_another_form_is_unknown(check, edit, words: str) -> None:
    found = check(MOMENTUM, edit)
    assert (found.verdict, found.fault) == ("wrong-forward", "unknown")
    assert words in found.message


@pytest.mark.parametrize(
    "result", ["next_w", "(next_w, None)", "(next_w, config, 1)", "(w[0], config)"]
)
def test_what_is_no_answer_is_an_error(check, result: str) -> None:
    found = check(MOMENTUM, ("return next_w, config", f"return {result}"))
    assert (found.verdict, found.fault) == ("error", None)


def test_the_first_wrong_step_is_shown(check) -> None:
    shown = check(MOMENTUM, ('config["velocity"] = v', "pass")).evidence
    assert shown["of"] == "next_w of step 2"
    assert shown["input"] == {"w": [1, -2], "dw of step 1": [2, -1], "dw of step 2": [1, 3]}
    v = -0.2 * 2 * 0.7 - 0.2
    assert shown["expected"][0] == pytest.approx(1 - 0.4 + v)
    assert shown["received"][0] == pytest.approx(1 - 0.4 - 0.2)


def test_what_changes_nothing_in_place_is_told_so(check) -> None:
    found = check("def sgd_update(w, g, v, *, lr, momentum=0.0):\n"
                  "    v = momentum * v + g\n    return w - lr * v, v\n")
    assert (found.verdict, found.fault) == ("error", None)
    assert "in place" in found.message


@pytest.mark.parametrize("text", [ADAM, MOMENTUM])
def test_a_starter_is_not_written(check, text: str) -> None:
    line = next(line for line in text.split("\n") if "next_w =" in line)
    found = check(text, (line, "    next_w = None"))
    assert (found.verdict, found.fault) == ("not-written", None)


def test_a_changed_gradient_is_a_note_where_nobody_forbids_it(check) -> None:
    found = check(MOMENTUM, ('- config["learning_rate"] * dw', "- dw"),
                  ("    v = config.get", '    dw *= config["learning_rate"]\n    v = config.get'))
    assert found.verdict == "correct"
    assert found.message == "note: it changes the dw that it was given"


def test_a_changed_gradient_is_wrong_in_minicnns_form(check) -> None:
    found = check("def rmsprop_update(w, g, s, *, lr, smoothing, eps):\n"
                  "    s[:] = smoothing * s + (1 - smoothing) * g * g\n"
                  "    g *= lr\n    w -= g / (s**0.5 + eps)\n")
    assert found.verdict == "wrong-forward"
    assert "changes the g" in found.message


@pytest.mark.parametrize("body", [
    "raise ValueError(1)", "return w", "return None, config", "return {}, {}", "return w, [1]",
    "return w * 1j, config", "return w > 0, config", "return w, {'t': 'x', 'velocity': 'y'}",
    "return w[None], config", "return np.array(['a']), config", "return config, w",
    "return 1, 2, 3",
    "dw.resize(0); return w, config", "config.clear(); return w, config", "del config['w']",
    "return np.nan * w, config", "return w.astype('f2'), config", "return w.tolist(), config",
])
def test_no_answer_makes_the_examination_fail(check, body: str) -> None:
    for rule in ("sgd", "sgd_momentum", "rmsprop", "adam"):
        found = check(f"import numpy as np\ndef {rule}(w, dw, config=None):\n    {body}\n")
        assert found.verdict != "correct"


def test_a_function_of_another_kind_is_not_taken_for_a_rule(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("def adam(parameters, lr):\n    pass\n\ndef sgd(w):\n    pass\n")
    assert findings_of(path) == []


def test_t_of_0_divides_by_0_and_is_judged(check) -> None:
    found = check(ADAM, *LATE, ("m / (1 - b1**t)", "m * (1 - b1**t)"))
    assert (found.verdict, found.fault) == ("wrong-forward", "adam-step-not-counted")
    assert "multiplies" in found.message


@pytest.mark.parametrize("edit", [
    ("next_w = w - lr", "next_w = w - np.sqrt(-lr)"), ("v / (1 - b2**t)", "v / -b2**t"),
])
def test_a_step_that_comes_to_nothing_has_no_name(check, edit) -> None:
    """Many a fault gives no number anywhere; nothing tells which it was."""
    found = check(ADAM, edit)
    assert (found.verdict, found.fault, found.also) == ("wrong-forward", "unknown", [])


def test_a_fault_beside_a_count_that_is_right_is_one(check) -> None:
    found = check(ADAM, *LATE, ("t=0)", "t=1)"), (" + eps)", ")"))
    assert (found.fault, found.also) == ("eps-misplaced", [])
