"""Batch norm's gradients in training: what each fault would produce, likeliest first."""

from minicnn.checking.students.operations.batchnorm_cases import BY_CHANNEL, batch_axes
from minicnn.checking.students.operations.batchnorm_forward import axis_choices
from minicnn.checking.students.operations.batchnorm_orders import backward_order_suspects
from minicnn.checking.students.operations.normalisation_backward import (
    dbeta_suspects,
    dgamma_suspects,
    over_axes_suspects,
    value_by_value_suspects,
)
from minicnn.checking.students.operations.operation import Suspect


def backward_suspects() -> dict[str, list[Suspect]]:
    """By the gradient's name; of dx those that are no sum of its three terms."""
    orders = backward_order_suspects()
    return {
        "dx": [
            *value_by_value_suspects(BY_CHANNEL),
            *orders["dx"],
            *over_axes_suspects(
                "bn-wrong-axes", lambda case, array: array, batch_axes, axis_choices()
            ),
        ],
        "dgamma": [*dgamma_suspects(BY_CHANNEL), *orders["dgamma"]],
        "dbeta": [*dbeta_suspects(BY_CHANNEL), *orders["dbeta"]],
    }
