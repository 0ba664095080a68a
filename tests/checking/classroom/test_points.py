"""What each function is worth, as a teacher says it."""

import pytest

from minicnn import InputError
from minicnn.checking.classroom.points import functions_of, read_points


def test_a_number_is_for_each_function_found() -> None:
    assert read_points("2.5").asked(["relu_backward", "dense_forward"]) == {
        "relu_backward": 2.5, "dense_forward": 2.5}


def test_named_functions_are_what_is_asked() -> None:
    points = read_points("batchnorm_backward=5, conv2d=2 ,")
    assert points.asked(["relu_forward"]) == {
        "batchnorm_backward": 5, "conv2d_forward": 2, "conv2d_backward": 2}


def test_functions_of_any_dialect_and_methods_of_classes_can_be_named() -> None:
    assert read_points("affine_backward=1,BatchNorm.backward=3").named == {
        "affine_backward": 1, "BatchNorm.backward": 3}


@pytest.mark.parametrize(("text", "message"), [
    ("many", "points: expected a number of points from 0 to 1,000,000, or NAME=NUMBER .* 'many'"),
    ("-1", "points: expected a number"), ("nan", "points: expected a number"),
    ("1e9", "points: expected a number"), ("", "points: expected a number"),
    ("relu=", "points: expected a number .*got ''"),
    ("batchnrm=2", "points: .* got 'batchnrm'; did you mean batchnorm,"),
    ("zzz=2", "points: .* got 'zzz'; the exercises are batchnorm,"),
    ("relu=2,relu_backward=3", "points: relu_backward is given points twice"),
])
def test_what_is_no_points(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_points(text)


def test_an_exercise_stands_for_its_functions_once() -> None:
    assert functions_of(["relu", "relu_forward"], "exercises") == ["relu_forward", "relu_backward"]
