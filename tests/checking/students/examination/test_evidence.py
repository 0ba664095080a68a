"""How a message is put together: the special sentence first, prefixes, what else it may be."""

import pytest

from minicnn.checking.students.dialects import CONVENTIONS
from minicnn.checking.students.examination.evidence import also_from, behind, lesson, show_case
from minicnn.checking.students.operations import OPERATIONS


@pytest.mark.parametrize(("detail", "message"), [
    ("b stays away.", "b stays away. The bias b is not added. Also this."),
    ("It is so for rows.", "The bias b is not added. It is so for rows. Also this."),
    ("", "The bias b is not added. Also this."),
])
def test_a_detail_stands_before_the_lesson_unless_it_leans_on_it(
    detail: str, message: str
) -> None:
    found = lesson("f", "wrong-forward", "dense-bias-missing", "Also this.", {}, detail=detail)
    assert found.message == message


def test_a_message_behind_a_colon_begins_small_unless_it_begins_with_a_name() -> None:
    assert behind("There:", "The bias is not added.") == "There: the bias is not added."
    assert behind("There:", "H stands where W belongs.") == "There: H stands where W belongs."
    assert behind("There:", "dx is wrong.") == "There: dx is wrong."


def test_another_fault_of_the_same_numbers_comes_with_its_lesson() -> None:
    assert also_from(["dense-bias-missing", "dense-bias-missing"]) == ""
    assert also_from(["bn-gamma-squared", "dense-bias-missing"]) == (
        " It may also be dense-bias-missing: the bias b is not added.")


@pytest.mark.parametrize(("function", "settings"), [
    ("batchnorm_forward", {"mode": "train", "momentum": 0.9, "eps": 1e-5}),
    ("max_pool_forward_naive", {"pool_height": 1, "pool_width": 2, "stride": 1}),
])
def test_settings_have_the_names_of_the_course(function: str, settings: dict) -> None:
    convention = next(each for each in CONVENTIONS
                      if (each.dialect, each.forward) == ("cs231n", function))
    case = OPERATIONS[convention.operation].small[0]
    assert show_case(convention, case, "y")["settings"] == settings
