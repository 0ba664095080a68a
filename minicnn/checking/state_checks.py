"""Checks of what a layer keeps: what may change from step to step, and what must stay."""

from typing import Any

import numpy as np

from minicnn.checking.requirements import distance, require, require_close, require_equal
from minicnn.checking.specimen import BATCH, Shape, Specimen, at_home

MANY = 200
"""Samples and steps of a check about statistics."""

MOST_STEPS = 10 * MANY
"""After which statistics must have reached the batch: enough for a momentum of 0.99."""


def check_determinism(layer: Any, input_shape: Shape) -> None:
    """Two copies in one state give the same bits; evaluation twice gives the same bits."""
    specimen = Specimen(layer, input_shape)
    x = specimen.input()
    dy = specimen.upstream(specimen.forward(specimen.fresh(), x, training=True))
    first, second = (specimen.run(specimen.fresh(), x, dy) for _ in range(2))
    for name, one, other in zip(specimen.names(), first, second, strict=True):
        require_equal(other, one, f"{name} of two copies in the same state")
    used = specimen.fresh()
    once = np.array(specimen.forward(used, x, training=False))
    require_equal(specimen.forward(used, x, training=False), once, "y of evaluation, twice")


def check_inputs_are_left_alone(layer: Any, input_shape: Shape) -> None:
    """Neither x nor dy nor a parameter changes in forward and backward."""
    specimen = Specimen(layer, input_shape)
    x, used = specimen.input(), specimen.fresh()
    dy = specimen.upstream(specimen.forward(specimen.fresh(), x.copy(), training=True))
    parameters = specimen.parameters(used)
    copies = [array.copy() for array in [x, dy, *(parameter.data for parameter in parameters)]]
    specimen.run(used, x, dy)
    arrays = [x, dy, *(at_home(parameter.data) for parameter in parameters)]
    names = ["x", "dy", *(parameter.name for parameter in parameters)]
    for name, before, after in zip(names, copies, arrays, strict=True):
        require_equal(after, before, f"{name} before and after a step")


def check_results_are_kept(layer: Any, input_shape: Shape) -> None:
    """What one step gave out does not change in the next."""
    specimen = Specimen(layer, input_shape)
    used, x = specimen.fresh(), specimen.input()
    dy = specimen.upstream(specimen.forward(specimen.fresh(), x, training=True))
    results = specimen.run(used, x, dy)
    copies = [array.copy() for array in results]
    specimen.run(used, specimen.input(), 3 * dy)
    for name, before, after in zip(specimen.names(), copies, results, strict=True):
        require_equal(after, before, f"{name} before and after another step")


def check_gradients_belong_to_one_backward(layer: Any, input_shape: Shape) -> None:
    """A second backward overwrites gradients; it does not add to them."""
    specimen = Specimen(layer, input_shape)
    x = specimen.input()
    dy = specimen.upstream(specimen.forward(specimen.fresh(), x, training=False))
    used = specimen.fresh()
    first = [array.copy() for array in specimen.run(used, x, dy, training=False)]
    second = specimen.run(used, x, dy, training=False)
    for name, one, other in zip(specimen.names(), first, second, strict=True):
        require_equal(other, one, f"{name} of the same step, twice")


def check_samples_are_independent_in_evaluation(layer: Any, input_shape: Shape) -> None:
    """In evaluation mode the output for a sample does not depend on the others in its batch."""
    specimen = Specimen(layer, input_shape)
    x, used = specimen.input(), specimen.fresh()
    together = specimen.forward(used, x, training=False)
    alone = np.concatenate([
        specimen.forward(used, x[at : at + 1], training=False) for at in range(BATCH)
    ])
    require_close(alone, together, 1e-12, "y of samples alone and in a batch")


def check_evaluation_changes_no_state(layer: Any, input_shape: Shape) -> None:
    """A forward in evaluation mode leaves parameters and running statistics as they are."""
    specimen = Specimen(layer, input_shape)
    used = specimen.fresh()
    if hasattr(used, "state_dict"):
        before = {name: array.copy() for name, array in used.state_dict().items()}
        specimen.forward(used, specimen.input(), training=False)
        for name, array in used.state_dict().items():
            require_equal(array, before[name], f"{name} before and after evaluation")


def check_state_round_trip(layer: Any, input_shape: Shape) -> None:
    """A layer that loads another's state gives what the other gives."""
    specimen = Specimen(layer, input_shape)
    if not hasattr(specimen.fresh(), "load_state_dict"):
        return
    trained = specimen.fresh()
    specimen.forward(trained, specimen.input(), training=True)
    other = Specimen(layer, input_shape, seed=2).fresh()
    other.load_state_dict(trained.state_dict())
    x = specimen.input()
    require_equal(
        specimen.forward(other, x, training=False), specimen.forward(trained, x, training=False),
        "y of a layer and of one that loaded its state",
    )


def check_statistics_reach_the_batch(layer: Any, input_shape: Shape) -> None:
    """What training gathers for evaluation goes to the batch's own: the longer it sees one batch,
    the nearer evaluation comes to training. Not for random layers."""
    specimen = Specimen(layer, input_shape)
    used = specimen.fresh()
    x = specimen.input(MANY)
    first = np.array(specimen.forward(used, x, training=True))
    if not np.array_equal(first, specimen.forward(used, x, training=True)):
        return
    for _ in range(MOST_STEPS // MANY):
        before = specimen.forward(used, x, training=False)
        for _ in range(MANY):
            specimen.forward(used, x, training=True)
        evaluated = specimen.forward(used, x, training=False)
        if distance(evaluated, before) <= 1e-3:  # it stands still
            break
    require_close(evaluated, first, 2 / MANY, "y of evaluation after many steps, and of training")


def check_noise_keeps_the_mean(layer: Any, input_shape: Shape) -> None:
    """Where training is random, the mean of many draws is what evaluation gives."""
    specimen = Specimen(layer, input_shape)
    used, x = specimen.fresh(), specimen.input()
    first = np.array(specimen.forward(used, x, training=True))
    if np.array_equal(first, specimen.forward(used, x, training=True)):
        return
    number = 20 * MANY
    total, squares = np.zeros(first.shape), np.zeros(first.shape)
    for _ in range(number):
        off = specimen.forward(used, x, training=True) - first
        total += off
        squares += off**2
    mean = total / number
    error = np.sqrt(np.maximum(squares / number - mean**2, 0) / number)
    off = np.abs(first + mean - specimen.forward(used, x, training=False))
    require(
        bool((off <= 6 * error + 1e-12).all()),
        "the mean of y over random draws must be the y of evaluation, within six standard errors",
    )


def check_backward_needs_a_forward(layer: Any, input_shape: Shape) -> None:
    """backward without a forward raises, unless it does not depend on one."""
    specimen = Specimen(layer, input_shape)
    x, used = specimen.input(), specimen.fresh()
    dy = specimen.upstream(specimen.forward(used, x, training=True))
    try:
        returned = specimen.fresh().backward(dy)
    except Exception:
        return
    require(
        np.array_equal(returned, used.backward(dy)),
        "backward before any forward must raise, but it returned something else than after one",
    )
