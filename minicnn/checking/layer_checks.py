"""What every layer must do: all checks, each of which takes a layer and the shape of one input."""

from collections.abc import Callable
from typing import Any

from minicnn.checking.specimen import Shape
from minicnn.checking.state_checks import (
    check_backward_needs_a_forward,
    check_determinism,
    check_evaluation_changes_no_state,
    check_gradients_belong_to_one_backward,
    check_inputs_are_left_alone,
    check_noise_keeps_the_mean,
    check_results_are_kept,
    check_samples_are_independent_in_evaluation,
    check_state_round_trip,
    check_statistics_reach_the_batch,
)
from minicnn.checking.step_checks import (
    check_backends_agree,
    check_backward_is_linear,
    check_batch_of_one,
    check_gradients_in_evaluation,
    check_gradients_in_single_precision,
    check_gradients_in_training,
    check_memory_layouts,
    check_shapes_and_dtypes,
)

CHECKS: tuple[Callable[[Any, Shape], None], ...] = (
    check_shapes_and_dtypes,
    check_gradients_in_training,
    check_gradients_in_evaluation,
    check_gradients_in_single_precision,
    check_determinism,
    check_inputs_are_left_alone,
    check_results_are_kept,
    check_gradients_belong_to_one_backward,
    check_backward_is_linear,
    check_batch_of_one,
    check_samples_are_independent_in_evaluation,
    check_evaluation_changes_no_state,
    check_memory_layouts,
    check_state_round_trip,
    check_statistics_reach_the_batch,
    check_noise_keeps_the_mean,
    check_backends_agree,
    check_backward_needs_a_forward,
)
"""All of them; each takes a layer and the shape of one input, and raises an AssertionError."""
