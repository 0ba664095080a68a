"""gradcheck: right and wrong gradients, its own uncertainty, kinks, and what it refuses."""

import contextlib
import io
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from operations import OPERATIONS, Operation

from minicnn.checking import gradcheck
from minicnn.ops import cuda, reference


def cubes(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return x**3, x


def of_cubes(dy: np.ndarray, x: np.ndarray) -> np.ndarray:
    return 3 * x**2 * dy


# -- verdicts ------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
@pytest.mark.parametrize("mode", ["full", "fast"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_operation_passes(
    backend: ModuleType, operation: Operation, mode: str, dtype: Any
) -> None:
    if (backend.__name__, mode) == (cuda.__name__, "full"):
        pytest.skip("the interpreter would take minutes; fast sees every element too")
    x = np.random.default_rng(11).standard_normal(operation.x_shape).astype(dtype)

    def forward(x: np.ndarray) -> tuple:
        return operation.forward(backend, x)

    report = gradcheck(forward, x, backward=lambda dy, cache: operation.backward(
        backend, dy, cache), mode=mode)
    report.require()
    assert report.gradients[0].checked


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_one_wrong_element_is_found_and_named(dtype: Any) -> None:
    x = np.random.default_rng(0).standard_normal((4, 5)).astype(dtype)

    def backward(dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        dx = of_cubes(dy, x)
        dx[2, 3] += np.abs(dx).max() / 100
        return dx

    report = gradcheck(cubes, x, backward=backward)
    (found,) = report.gradients
    assert report.verdict == "wrong"
    assert found.worst == (2, 3)
    assert found.error == pytest.approx(0.01, rel=0.05)
    assert "dx[2, 3] should be" in str(report)
    with pytest.raises(AssertionError, match="dx\\[2, 3\\] should be"):
        report.require()


@pytest.mark.parametrize("mode", ["full", "fast"])
@pytest.mark.parametrize("lacking", [2, 3])
def test_terms_of_batch_norm_are_missed(lacking: int, mode: str) -> None:
    x = 3 * np.random.default_rng(0).standard_normal((5, 4)) + 5
    gamma, beta = np.array([0.5, -2, 1, 3]), np.zeros(4)

    def forward(x: np.ndarray) -> tuple:
        return reference.batchnorm_forward(x, gamma, beta, np.zeros(4), np.ones(4), training=True)

    def backward(dy: np.ndarray, cache: Any) -> np.ndarray:
        normalized = (cache.x - cache.mean) * cache.inverse_std
        terms = [dy, dy.mean(0), normalized * (dy * normalized).mean(0)]
        del terms[lacking - 1]
        return cache.gamma * cache.inverse_std * (terms[0] - terms[1])

    assert gradcheck(forward, x, backward=backward, mode=mode).verdict == "wrong"


def test_values_far_from_one_are_no_obstacle() -> None:
    for size in (1e-12, 1e-4, 1e5, 1e9):
        x = size * np.random.default_rng(0).standard_normal((3, 4))
        report = gradcheck(cubes, x, backward=of_cubes)
        report.require()
        assert report.gradients[0].checked == 12


def test_kinks_are_left_out_and_named() -> None:
    x = np.array([[0.0, 1.0, -2.0], [3.0, 0.0, 1e-7]])
    report = gradcheck(reference.relu_forward, x, backward=reference.relu_backward)
    assert report.verdict == "correct"
    assert report.gradients[0].kinks == [(0, 0), (1, 1)]
    assert report.gradients[0].checked == 4
    assert "2 left out, at a kink: [0, 0], [1, 1]" in str(report)


def test_ties_of_a_maximum_are_kinks() -> None:
    x = np.ones((1, 2, 2, 1))
    x[0, 1] = 0.0
    report = gradcheck(reference.maxpool2d_forward, x, backward=reference.maxpool2d_backward)
    assert report.gradients[0].kinks == [(0, 0, 0, 0), (0, 0, 1, 0)]


def test_a_decision_that_jumps_is_left_out() -> None:
    x = np.array([0.0, 1.3, -0.4])
    report = gradcheck(lambda x: (x + (x > 0), x), x, backward=lambda dy, x: dy)
    assert report.gradients[0].kinks == [(0,)]
    assert report.verdict == "correct"


def test_nothing_but_kinks_decides_nothing() -> None:
    report = gradcheck(reference.relu_forward, np.zeros((2, 3)), backward=reference.relu_backward)
    assert report.verdict == "inconclusive"


def test_fast_mode_of_large_inputs_with_many_kinks() -> None:
    x = np.random.default_rng(0).standard_normal((100, 500))
    assert gradcheck(
        reference.relu_forward, x, backward=reference.relu_backward, mode="fast").passed
    wrong = gradcheck(reference.relu_forward, x, backward=lambda dy, cache: dy, mode="fast")
    assert wrong.verdict == "wrong"


def test_several_inputs_and_labels() -> None:
    logits, labels = np.random.default_rng(0).standard_normal((4, 3)), np.array([0, 2, 1, 1])
    gradcheck(
        reference.softmax_cross_entropy_forward, (logits, labels),
        backward=lambda dloss, cache: reference.softmax_cross_entropy_backward(
            cache, float(dloss)),
    ).require()
    x, w = np.random.default_rng(1).standard_normal((2, 3, 3))
    report = gradcheck(lambda x, w: x @ w, (x, w), backward=lambda dy: (dy @ w.T, None))
    assert [found.name for found in report.gradients] == ["x"]
    only = gradcheck(lambda x, w: x @ w, (x, w), backward=lambda dy: x.T @ dy, wrt=[1])
    assert only.passed
    assert [found.name for found in only.gradients] == ["w"]


# -- what is none of the gradient's fault ----------------------------------------------------------


def test_a_random_function_is_called_so() -> None:
    rng = np.random.default_rng(0)
    report = gradcheck(lambda x: x * rng.random(x.shape), np.ones(3), backward=lambda dy: dy)
    assert report.verdict == "random"


def test_changed_inputs_are_named() -> None:
    def in_place(x: np.ndarray) -> np.ndarray:
        x *= 2
        return x

    assert "forward changed its input x" in str(
        gradcheck(in_place, np.ones(3), backward=lambda dy: 2 * dy))

    def backward(dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        x[0] = 7
        return dy

    assert "backward changed its input x" in str(
        gradcheck(lambda x: (x * 1, x), np.ones(3), backward=backward))

    def backward_on_dy(dy: np.ndarray) -> np.ndarray:
        dy *= 2
        return dy

    assert "changed dy" in str(gradcheck(lambda x: 2 * x, np.ones(3), backward=backward_on_dy))


def test_numbers_that_are_not_finite_are_located() -> None:
    with np.errstate(all="ignore"):
        report = gradcheck(np.log, np.array([1.0, -1.0]), backward=lambda dy: dy)
    assert (report.verdict, report.message) == ("not finite", "the output is nan at [1]")
    report = gradcheck(lambda x: 2 * x, np.ones(2), backward=lambda dy: np.array([2.0, np.inf]))
    assert report.message == "dx is inf at [1]"


def test_wrong_shapes_are_told() -> None:
    report = gradcheck(lambda x: x.sum(0), np.ones((2, 3)), backward=lambda dy: dy)
    assert report.message == "dx must have the shape of x, (2, 3), got (3,)"
    report = gradcheck(lambda x, w: x * w, (np.ones(2), np.ones(2)), backward=lambda dy: dy)
    assert report.message == "backward must return 2 gradients, (dx, dw), got 1, (2,) float64"
    report = gradcheck(lambda x: 2 * x, np.ones(3), backward=lambda dy: [2.0, 2.0, 2.0])
    assert report.message == (
        "backward must return 1 gradient, got 3, the elements of a list or tuple; return an array")


@pytest.mark.parametrize("dy", [
    lambda y: np.ones_like(y),
    lambda y: np.zeros_like(y),
    lambda y: 2 * y,
    lambda y: 3 - y,
    lambda y: y * np.arange(1.0, y.shape[-1] + 1),
    lambda y: np.broadcast_to(np.arange(y.shape[-1]), y.shape),
])
def test_an_upstream_gradient_that_hides_terms_is_refused(dy: Callable) -> None:
    x = np.random.default_rng(0).standard_normal((4, 5, 3))
    with pytest.raises(ValueError, match="gradcheck: dy (is constant or|must not be all zero)"):
        gradcheck(np.tanh, x, dy=dy(np.tanh(x)), backward=lambda dy: dy)


@pytest.mark.parametrize(("options", "message"), [
    ({"mode": "quick"}, "mode must be full or fast, got 'quick'"),
    ({"dy": np.ones(2)}, "dy must have the shape of y, (3,), got (2,)"),
    ({"dy": np.array([1, np.nan, 2])}, "dy must be finite"),
    ({"inputs": np.arange(3)}, "expected float32 or float64 inputs to check, got int64"),
])
def test_bad_arguments_are_refused(options: dict[str, Any], message: str) -> None:
    arguments = {"inputs": np.array([1.0, 5.0, 2.0]), "backward": lambda dy: 2 * dy, **options}
    with pytest.raises(ValueError) as caught:
        gradcheck(lambda x: 2 * x, arguments.pop("inputs"), **arguments)
    assert message in str(caught.value)


@pytest.mark.parametrize(("options", "message"), [
    ({"wrt": [5]}, "wrt must name inputs 0 to 0, got [5]"),
    ({"tolerance": 0}, "tolerance must be above 0, got 0"),
    ({"projections": 0}, "projections must be at least 1, got 0"),
    ({"names": ["x", "w"]}, "expected 1 names, got 2"),
    ({"dy": np.zeros(3)}, "dy must not be all zeros"),
])
def test_options_that_would_check_nothing_are_refused(options: dict, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        gradcheck(cubes, np.array([1.0, 2.0, 4.0]), backward=of_cubes, **options)
    assert message in str(caught.value)


def test_a_gradient_that_is_not_there_decides_nothing() -> None:
    report = gradcheck(lambda x: x, np.ones(3), backward=lambda dy: None)
    assert (report.verdict, report.message) == (
        "inconclusive", "backward returned no gradient to check")
    assert gradcheck(lambda x: x, np.ones((0, 3)), backward=lambda dy: dy).verdict == "inconclusive"


@pytest.mark.parametrize("seed", range(8))
def test_values_that_are_large_beside_a_period_are_no_error_in_float32(seed: int) -> None:
    x = (np.random.default_rng(seed).standard_normal((7, 9)) + 100).astype(np.float32)
    report = gradcheck(lambda x: (np.sin(x), x), x, backward=lambda dy, x: dy * np.cos(x))
    assert report.verdict in ("correct", "inconclusive"), str(report)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(("function", "derivative"), [
    (lambda x: np.maximum(x, 0), lambda x: x > 0), (np.abs, np.sign),
])
def test_many_kinks_are_no_error_in_fast_mode(
    seed: int, function: Callable, derivative: Callable
) -> None:
    x = np.random.default_rng(seed).standard_normal((100, 100)).astype(np.float32)
    report = gradcheck(lambda x: (function(x), x), x, seed=seed, mode="fast",
                       backward=lambda dy, x: dy * derivative(x))
    assert report.verdict in ("correct", "inconclusive"), str(report)


def test_complex_gradients_are_refused() -> None:
    with pytest.raises(TypeError, match="dx must be an array of real numbers, got complex128"):
        gradcheck(lambda x: 2 * x, np.arange(3.0), backward=lambda dy: 2 * dy + 1j)


def test_a_function_of_objects_is_refused() -> None:
    with pytest.raises(TypeError, match=r"must return real numbers.*got \(1,\) object"):
        gradcheck(lambda x: np.array([None]), np.ones(2), backward=lambda dy: dy)


# -- what it is given ------------------------------------------------------------------------------


def product(x: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, tuple]:
    return x @ w, (x, w)


def of_product(dy: np.ndarray, cache: tuple) -> tuple[np.ndarray, np.ndarray]:
    x, w = cache
    return dy @ w.T, x.T @ dy


X, W = np.random.default_rng(5).standard_normal((2, 4, 4))


@pytest.mark.parametrize("call", [
    pytest.param(lambda: gradcheck(product, (X, W), backward=of_product), id="a tuple"),
    pytest.param(lambda: gradcheck(product, [X, W], backward=of_product), id="a list"),
    pytest.param(
        lambda: gradcheck(product, (X, W), dy=W @ X + X, backward=of_product), id="with dy"),
    pytest.param(
        lambda: gradcheck(product, (X, W), backward=lambda *args: list(of_product(*args))),
        id="a list of gradients"),
    pytest.param(
        lambda: gradcheck(product, (np.asfortranarray(X)[::2], W[:, ::-1]), backward=of_product),
        id="strided"),
    pytest.param(lambda: gradcheck(cubes, 1.5, backward=of_cubes), id="a number"),
    pytest.param(lambda: gradcheck(cubes, [1.5], backward=of_cubes), id="a list of a number"),
    pytest.param(
        lambda: gradcheck(lambda x, y: (x * y, x, y), [1.5, 2.5],
                          backward=lambda dy, x, y: (dy * y, dy * x)),
        id="two numbers"),
    pytest.param(
        lambda: gradcheck(lambda x: (np.square(x).mean(), x), X,
                          backward=lambda dloss, x: dloss * 2 * x / x.size),
        id="a loss"),
    pytest.param(
        lambda: gradcheck(lambda x, names: (x**3, x), (X, np.array(["a", "b"])),
                          backward=of_cubes),
        id="beside an array of strings"),
])
def test_ways_to_call_it(call: Callable) -> None:
    call().require()


@pytest.mark.parametrize(("call", "message"), [
    (lambda: gradcheck(product, X, W, backward=of_product),
     "expected a function and its inputs, got 1 more without a name; call "
     "gradcheck(function, x, backward=…, dy=…), or with several inputs "
     "gradcheck(function, (x, w), backward=…)"),
    (lambda: gradcheck(cubes, X, of_cubes, backward=of_cubes), "expected a function and its"),
    (lambda: gradcheck(X, cubes, backward=of_cubes), "function must be a function, got (4, 4)"),
    (lambda: gradcheck(cubes, X, backward=W), "backward must be a function, got (4, 4) float64"),
    (lambda: gradcheck(cubes, of_cubes, backward=of_cubes), "inputs must be arrays, got function"),
    (lambda: gradcheck(cubes, [1.0, 2.0, 3.0], backward=of_cubes),
     "inputs was read as 3 inputs, the elements of a list, of shapes (), (), (), but function "
     "takes (x: numpy.ndarray) -> tuple[numpy.ndarray, numpy.ndarray]; give one array as "
     "np.array(…)"),
    (lambda: gradcheck(product, X, backward=of_product),
     "inputs was read as one input of shape (4, 4), but function takes (x: "),
    (lambda: gradcheck(cubes, {"x": X}, backward=of_cubes),
     "input 0 must be an array of numbers, got dict; give several inputs as (x, w)"),
    (lambda: gradcheck(product, (X, None), backward=of_product),
     "input 1 must be an array of numbers, got None"),
    (lambda: gradcheck(product, (X, [[1.0], [2.0, 3.0]]), backward=of_product),
     "input 1 must be an array of numbers, got list"),
    (lambda: gradcheck(cubes, (each for each in [X]), backward=of_cubes),
     "input 0 must be an array of numbers, got generator"),
    (lambda: gradcheck(cubes, np.array([1.0, None]), backward=of_cubes),
     "input 0 must be an array of numbers, got (2,) object"),
    (lambda: gradcheck(lambda x: x**3, X, backward=of_cubes),
     "backward is called with dy and what function returned after y, backward(dy), but takes "
     "(dy: numpy.ndarray, x: numpy.ndarray) -> numpy.ndarray; let function return (y, cache)"),
    (lambda: gradcheck(cubes, X, backward=lambda dy: dy),
     "backward is called with dy and what function returned after y, "
     "backward(dy, (4, 4) float64), but takes (dy)"),
    (lambda: gradcheck(lambda x: None, X, backward=of_cubes),
     "function must return real numbers, y or a tuple (y, cache), got None"),
    (lambda: gradcheck(lambda x: (), X, backward=of_cubes),
     "function must return real numbers, y or a tuple (y, cache), got tuple"),
    (lambda: gradcheck(lambda x: ({}, x), X, backward=of_cubes),
     "function must return real numbers, y or a tuple (y, cache), got dict first"),
    (lambda: gradcheck(lambda x: [x, x[0]], X, backward=of_cubes),
     "function must return real numbers, y or a tuple (y, cache), got list"),
    (lambda: gradcheck(cubes, X, backward=lambda dy, x: {"x": dy}),
     "dx must be an array of real numbers, got dict"),
    (lambda: gradcheck(cubes, X, dy=[[1.0], [2.0, 3.0]], backward=of_cubes),
     "dy must be an array of real numbers, got list"),
])
def test_calls_that_do_not_fit_are_told_how_to_call(call: Callable, message: str) -> None:
    with pytest.raises(TypeError) as caught:
        call()
    assert str(caught.value).startswith(f"gradcheck: {message}")


def test_a_backward_whose_dy_is_not_first_is_told_so() -> None:
    report = gradcheck(cubes, X, backward=lambda x, dy: 3 * x**2 * dy)
    assert report.verdict == "wrong"
    assert "; dy is given first, but the parameters of backward are (x, dy)" in report.message
    report = gradcheck(lambda x: (x.sum(1), x), X, backward=lambda x, dy: x)
    assert report.verdict == "wrong shape"
    assert report.message.endswith("but the parameters of backward are (x, dy)")


def test_an_exception_of_the_callers_function_keeps_its_traceback_and_is_introduced() -> None:
    def forward(x: np.ndarray) -> np.ndarray:
        return x @ np.ones(3)

    with pytest.raises(ValueError, match="matmul") as caught:
        gradcheck(forward, X, backward=lambda dy: dy)
    assert caught.traceback[-1].name == "forward"
    assert caught.value.__notes__ == [
        "gradcheck: the error is one of function itself, called as function(x (4, 4) float64)"]
    with pytest.raises(KeyError) as caught_key:
        gradcheck(lambda x: (2 * x, {}), X, backward=lambda dy, cache: cache["mask"] * dy)
    assert caught_key.value.__notes__ == [
        "gradcheck: the error is one of backward itself, "
        "called as backward(dy (4, 4) float64, dict)"]


def test_the_examples_of_the_page_print_what_it_says() -> None:
    page = (Path(__file__).parents[2] / "docs" / "checking.md").read_text(encoding="utf-8")
    section = page[page.index("## Gradient checks") : page.index("## Layer checks")]
    examples = re.findall(r"```python\n(.*?)```\n\n```\n(.*?)```", section, re.DOTALL)
    assert len(examples) == section.count("```python") == 2
    names: dict[str, Any] = {}
    for program, printed in examples:
        with contextlib.redirect_stdout(io.StringIO()) as said:
            exec(program, names)
        # the uncertainties depend on the last bit of NumPy's products
        without = [re.sub(r"\S+ ± \S+ at \S+", "", text) for text in (said.getvalue(), printed)]
        verdicts = [re.findall(r"^(?:correct|wrong).*?(?: is|got)|^  d\w+: \d+", text, re.MULTILINE)
                    for text in without]
        assert verdicts[0] == verdicts[1]
