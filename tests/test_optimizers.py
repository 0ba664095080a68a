"""The optimizers against their formulas, written anew for one number at a time."""

import math
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from minicnn import InputError, optimizers
from minicnn.layers import Parameter

STEPS = 6
Rule = Callable[[float, Iterator[float]], float]


def sgd(lr: float = 0.01, momentum: float = 0, nesterov: bool = False, decay: float = 0) -> Rule:
    """As PyTorch's documentation has it."""
    def train(w: float, gradients: Iterator[float]) -> float:
        velocity = 0.0
        for g in gradients:
            g += decay * w
            velocity = momentum * velocity + g
            w -= lr * (g + momentum * velocity if nesterov else velocity)
        return w
    return train


def rmsprop(lr: float = 0.01, rho: float = 0.99, eps: float = 1e-8, decay: float = 0) -> Rule:
    """Hinton's lecture 6."""
    def train(w: float, gradients: Iterator[float]) -> float:
        square = 0.0
        for g in gradients:
            g += decay * w
            square = rho * square + (1 - rho) * g * g
            w -= lr * g / (math.sqrt(square) + eps)
        return w
    return train


def adam(lr: float = 0.001, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8,
         decay: float = 0, decoupled: float = 0) -> Rule:
    """Algorithm 1 of Kingma and Ba, and 2 of Loshchilov and Hutter, with the hats spelt out."""
    def train(w: float, gradients: Iterator[float]) -> float:
        m = v = 0.0
        for t, g in enumerate(gradients, start=1):
            g += decay * w
            w -= lr * decoupled * w
            m = beta1 * m + (1 - beta1) * g
            v = beta2 * v + (1 - beta2) * g * g
            w -= lr * (m / (1 - beta1**t)) / (math.sqrt(v / (1 - beta2**t)) + eps)
        return w
    return train


CASES = {
    "sgd": (optimizers.SGD, {}, sgd()),
    "sgd, momentum": (optimizers.SGD, {"lr": 0.1, "momentum": 0.9}, sgd(0.1, 0.9)),
    "sgd, nesterov": (optimizers.SGD, {"momentum": 0.8, "nesterov": True}, sgd(0.01, 0.8, True)),
    "sgd, decay": (optimizers.SGD, {"weight_decay": 0.3, "momentum": 0.5},
                   sgd(0.01, 0.5, decay=0.3)),
    "rmsprop": (optimizers.RMSprop, {}, rmsprop()),
    "rmsprop, all": (optimizers.RMSprop,
                     {"lr": 0.2, "decay": 0.7, "eps": 0.1, "weight_decay": 0.4},
                     rmsprop(0.2, 0.7, 0.1, 0.4)),
    "adam": (optimizers.Adam, {}, adam()),
    "adam, all": (optimizers.Adam,
                  {"lr": 0.1, "beta1": 0.5, "beta2": 0.7, "eps": 0.2, "weight_decay": 0.3},
                  adam(0.1, 0.5, 0.7, 0.2, decay=0.3)),
    "adamw": (optimizers.AdamW, {}, adam(decoupled=0.01)),
    "adamw, all": (optimizers.AdamW, {"lr": 0.1, "beta1": 0.5, "eps": 0.2, "weight_decay": 0.3},
                   adam(0.1, 0.5, eps=0.2, decoupled=0.3)),
}

each_optimizer = pytest.mark.parametrize(("kind", "settings", "rule"), CASES.values(),
                                         ids=CASES.keys())


def make_parameters(dtype: type = np.float64) -> list[Parameter]:
    """A weight and a bias."""
    rng = np.random.default_rng(0)
    return [Parameter("layer.w", rng.standard_normal((2, 3)).astype(dtype), decays=True),
            Parameter("layer.b", rng.standard_normal(3).astype(dtype), decays=False)]


def gradients_of(parameter: Parameter) -> np.ndarray:
    """One gradient a step."""
    rng = np.random.default_rng(parameter.data.size)
    return rng.standard_normal((STEPS, *parameter.data.shape)).astype(parameter.data.dtype)


def advance(optimizer: optimizers.Optimizer, parameters: list[Parameter], steps: range) -> None:
    """Take these steps."""
    for step in steps:
        for parameter in parameters:
            parameter.grad = gradients_of(parameter)[step]
        optimizer.step()


@each_optimizer
@pytest.mark.parametrize("decay_all", [False, True])
def test_against_the_formula(kind: type, settings: dict, rule: Rule, decay_all: bool) -> None:
    parameters, starts = make_parameters(), make_parameters()
    advance(kind(parameters, decay_all=decay_all, **settings), parameters, range(STEPS))
    spared = CASES_WITHOUT_DECAY.get(next(key for key, case in CASES.items() if case[2] is rule))
    for parameter, start in zip(parameters, starts, strict=True):
        rule_here = spared if spared and not (parameter.decays or decay_all) else rule
        expected = [rule_here(float(w), iter(gradients_of(start)[:, *place].tolist()))
                    for place, w in np.ndenumerate(start.data)]
        np.testing.assert_allclose(parameter.data.ravel(), expected, rtol=1e-12, atol=1e-14)


CASES_WITHOUT_DECAY = {
    "sgd, decay": sgd(0.01, 0.5),
    "rmsprop, all": rmsprop(0.2, 0.7, 0.1),
    "adam, all": adam(0.1, 0.5, 0.7, 0.2),
    "adamw": adam(),
    "adamw, all": adam(0.1, 0.5, eps=0.2),
}


@each_optimizer
def test_the_state_goes_on_elsewhere(kind: type, settings: dict, rule: Rule) -> None:
    whole, first, second = make_parameters(), make_parameters(), make_parameters()
    advance(kind(whole, **settings), whole, range(STEPS))
    optimizer, successor = kind(first, **settings), kind(second, **settings)
    advance(optimizer, first, range(3))
    state = optimizer.state_dict()
    kept = {name: array.copy() for name, array in state.items()}
    for parameter, source in zip(second, first, strict=True):
        parameter.data[...] = source.data
    advance(optimizer, first, range(3, STEPS))
    for name, array in state.items():  # copies, which the steps since have left alone
        np.testing.assert_array_equal(array, kept[name])
    successor.load_state_dict(state)
    assert successor.steps == 3
    advance(successor, second, range(3, STEPS))
    for parameter, expected in zip(second, whole, strict=True):
        np.testing.assert_array_equal(parameter.data, expected.data)


@each_optimizer
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_data_changes_in_place_and_gradients_stay(
    kind: type, settings: dict, rule: Rule, dtype: type
) -> None:
    parameters = make_parameters(dtype)
    arrays = [parameter.data for parameter in parameters]
    optimizer = kind(parameters, clip_norm=0.1, **settings)
    advance(optimizer, parameters, range(2))
    for parameter, array in zip(parameters, arrays, strict=True):
        assert parameter.data is array
        assert array.dtype == dtype
        np.testing.assert_array_equal(parameter.grad, gradients_of(parameter)[1])
    slots = [array for array in optimizer.state_dict().values() if array.ndim]
    assert {array.dtype for array in slots} == {np.dtype(dtype)}


@pytest.mark.parametrize(("clip", "factor"), [(26, 1), (13, 1), (6.5, 0.5), (1.3, 0.1)])
def test_clipping_by_the_norm_of_all_gradients(clip: float, factor: float) -> None:
    parameters = [Parameter("a.w", np.zeros(2), decays=True),
                  Parameter("b.w", np.zeros(1), decays=True)]
    parameters[0].grad, parameters[1].grad = np.array([3.0, -4]), np.array([12.0])
    optimizers.SGD(parameters, lr=1, clip_norm=clip).step()
    np.testing.assert_allclose(parameters[0].data, [-3 * factor, 4 * factor], rtol=1e-15)
    np.testing.assert_allclose(parameters[1].data, [-12 * factor], rtol=1e-15)


def test_the_norm_of_float32_gradients_is_taken_in_float64() -> None:
    parameter = Parameter("a.w", np.zeros(100_000, np.float32), decays=True)
    parameter.grad = np.full(100_000, 1e25, np.float32)  # its square overflows float32
    optimizers.SGD([parameter], lr=1, clip_norm=1.0).step()
    np.testing.assert_allclose(parameter.data, -1 / math.sqrt(1e5), rtol=1e-6)


def test_the_learning_rate_may_change_between_steps() -> None:
    (parameter, _) = parameters = make_parameters()
    optimizer = optimizers.SGD(parameters, lr=1)
    start = parameter.data.copy()
    advance(optimizer, parameters, range(1))
    optimizer.lr = 0.5
    advance(optimizer, parameters, range(1, 2))
    gradients = gradients_of(parameter)
    np.testing.assert_allclose(parameter.data, start - gradients[0] - 0.5 * gradients[1])


def test_a_missing_gradient_changes_nothing() -> None:
    parameters = make_parameters()
    parameters[0].grad = np.ones((2, 3))
    optimizer = optimizers.AdamW(parameters)
    with pytest.raises(RuntimeError, match="^layer.b has no gradient: call model.backward first"):
        optimizer.step()
    assert optimizer.steps == 0
    for parameter, start in zip(parameters, make_parameters(), strict=True):
        np.testing.assert_array_equal(parameter.data, start.data)


def test_parameters_of_one_name_do_not_share_their_state() -> None:
    twins = [Parameter("dense.w", np.zeros(2), decays=True) for _ in range(2)]
    with pytest.raises(ValueError, match=r"^Adam: .*dense\.w"):
        optimizers.Adam(twins)


@pytest.mark.parametrize(("kind", "settings", "error", "message"), [
    (optimizers.SGD, {"lr": 0}, ValueError, r"SGD: lr must lie in \(0, inf\), got 0"),
    (optimizers.SGD, {"lr": np.nan}, ValueError, "SGD: lr must lie in"),
    (optimizers.SGD, {"lr": "0.1"}, TypeError, "SGD: lr must be a number, got '0.1'"),
    (optimizers.SGD, {"momentum": 1}, ValueError, r"SGD: momentum must lie in \[0, 1\), got 1"),
    (optimizers.SGD, {"nesterov": True}, ValueError, "SGD: nesterov needs a momentum above 0"),
    (optimizers.RMSprop, {"decay": -0.1}, ValueError, r"RMSprop: decay must lie in \[0, 1\)"),
    (optimizers.Adam, {"beta1": 1.0}, ValueError, r"Adam: beta1 must lie in \[0, 1\), got 1"),
    (optimizers.AdamW, {"beta2": 2}, ValueError, r"AdamW: beta2 must lie in \[0, 1\), got 2"),
    (optimizers.AdamW, {"eps": 0}, ValueError, r"AdamW: eps must lie in \(0, inf\), got 0"),
    (optimizers.AdamW, {"weight_decay": -1}, ValueError, r"AdamW: weight_decay must lie in \[0, "),
    (optimizers.Adam, {"clip_norm": 0}, ValueError, r"Adam: clip_norm must lie in \(0, inf\), g"),
])
def test_settings_that_are_refused(
    kind: type, settings: dict, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=f"^{message}"):
        kind(make_parameters(), **settings)


def test_nothing_to_optimize() -> None:
    with pytest.raises(ValueError, match="^SGD: there are no parameters to optimize"):
        optimizers.SGD([])


@pytest.mark.parametrize(("change", "message"), [
    (lambda state: state.pop("layer.w.m"), "Adam: the state lacks layer.w.m"),
    (lambda state: state.pop("steps"), "Adam: the state lacks steps"),
    (lambda state: state.update(extra=np.ones(1)), "Adam: the state has unknown extra"),
    (lambda state: state.update({"layer.b.s": np.ones(2)}),
     r"Adam: layer.b.s must have shape \(3,\), got \(2,\)"),
])
def test_a_state_that_is_refused(change: Callable, message: str) -> None:
    optimizer = optimizers.Adam(make_parameters())
    state = optimizer.state_dict()
    change(state)
    with pytest.raises(ValueError, match=f"^{message}"):
        optimizer.load_state_dict(state)


def test_from_config() -> None:
    optimizer = optimizers.from_config({"name": "sgd", "lr": 0.5, "momentum": 0.25},
                                       make_parameters())
    assert (type(optimizer), optimizer.lr, optimizer.momentum) == (optimizers.SGD, 0.5, 0.25)
    for name, kind in optimizers.OPTIMIZERS.items():
        assert type(optimizers.from_config({"name": name}, make_parameters())) is kind


@pytest.mark.parametrize(("config", "message"), [
    ({"name": "lion"}, "here: expected one of sgd, rmsprop, adam, adamw, got 'lion'"),
    ({"lr": 0.1}, "here: expected one of sgd, rmsprop, adam, adamw, got nothing"),
    ({"name": "sgd", "beta1": 0.1}, "here: .* has no setting 'beta1'; expected some of lr, "),
    ({"name": "adam", "lr": -1}, r"here: Adam: lr must lie in \(0, inf\), got -1"),
])
def test_configurations_that_are_refused(config: dict, message: str) -> None:
    with pytest.raises(InputError, match=f"^{message}"):
        optimizers.from_config(config, make_parameters(), "here")


def test_a_configuration_cannot_replace_the_parameters() -> None:
    with pytest.raises(InputError, match="^here: "):
        optimizers.from_config({"name": "sgd", "parameters": [1]}, make_parameters(), "here")
