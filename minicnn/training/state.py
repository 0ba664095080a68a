"""The place in training that a trainer's state gives, read back with care."""

from collections.abc import Mapping
from typing import Any

from minicnn.training.epoch import Epoch, Totals
from minicnn.validation import integer, number


def place_in_training(header: Mapping[str, Any]) -> dict[str, Any]:
    """The trainer's attributes that a `Trainer.state_dict` gives, each checked."""
    history = [Epoch.from_dict(epoch) for epoch in header["history"]]
    epoch = integer("Trainer", "epoch", header["epoch"], 0)
    if max(epoch, 1) != len(history) + 1:
        raise ValueError(f"Trainer: epoch {epoch} cannot follow {len(history)} finished ones")
    if not isinstance(header["stop_reason"], str):
        raise TypeError(f"Trainer: stop_reason must be text, got {header['stop_reason']!r}")
    return {
        "history": history,
        "epoch": epoch,
        "batch": integer("Trainer", "batch", header["batch"], 0),
        "epochs": integer("Trainer", "epochs", header["epochs"], 0),
        "stop_reason": header["stop_reason"],
        "totals": _totals(header["totals"]),
        "_begun": {
            str(name): integer("Trainer", name, value, 0)
            for name, value in header["begun"].items()
        },
    }


def _totals(values: Mapping[str, Any]) -> Totals:
    """The totals of a state: counts are whole, sums are not."""
    for name, value in values.items():
        if isinstance(getattr(Totals(), name), float):
            number("Trainer", name, value, 0)
        else:
            integer("Trainer", name, value, 0)
    return Totals(**values)
