"""The view of normalisations by columns gives what the reference gives, for all three of them."""

import numpy as np
import pytest

from minicnn.checking.students.operations import OPERATIONS
from minicnn.checking.students.operations.case import upstream
from minicnn.checking.students.operations.groupnorm import NORMALISATIONS
from minicnn.checking.students.operations.normalisation_terms import terms

CASES = [(name, at) for name in NORMALISATIONS for at in range(len(OPERATIONS[name].cases))]


@pytest.mark.parametrize(("name", "at"), CASES)
def test_columns_are_put_together_again(name: str, at: int) -> None:
    case = OPERATIONS[name].cases[at]
    columns = NORMALISATIONS[name].split(case, case["x"])
    np.testing.assert_array_equal(NORMALISATIONS[name].join(case, columns), case["x"])
    normalized = NORMALISATIONS[name].split(case, NORMALISATIONS[name].normalized(case))
    np.testing.assert_allclose(normalized.mean(0), 0, atol=1e-12)
    assert (normalized.std(0) < 1).all()  # by eps


@pytest.mark.parametrize(("name", "at"), CASES)
def test_y_and_dx_of_columns_are_the_references(name: str, at: int) -> None:
    operation, normalisation = OPERATIONS[name], NORMALISATIONS[name]
    case = operation.cases[at]
    np.testing.assert_allclose(normalisation.y_with(case), operation.right_forward(case))
    dy = upstream(case["x"].shape, at)
    parts = terms(normalisation, case, dy)
    dx = normalisation.join(case, parts[..., 0] - parts[..., 1] - parts[..., 2])
    np.testing.assert_allclose(dx, operation.right_gradients(case, dy)[0], atol=1e-12)


@pytest.mark.parametrize("name", NORMALISATIONS)
def test_no_suspect_is_right_on_every_case(name: str) -> None:
    operation = OPERATIONS[name]
    for suspect in operation.forward_suspects:
        with np.errstate(all="ignore"):
            answers = [np.asarray(suspect.predict(case)) for case in operation.cases]
        assert not all(
            answer.shape == case["x"].shape and np.allclose(answer, operation.right_forward(case))
            for answer, case in zip(answers, operation.cases, strict=True)
        ), (suspect.fault, suspect.detail)
