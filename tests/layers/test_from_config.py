"""Layers from their settings in a file."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from refusals import assert_refused

from minicnn import InputError, layers
from minicnn.layers import Layer


@pytest.mark.parametrize("make", [
    lambda: layers.Conv2D(np.int64(2), np.int64(3), padding=np.int64(1)),
    lambda: layers.Conv2D(2, stride=(np.int32(1), 2), padding=((np.int64(1), 0), (0, 0))),
    lambda: layers.MaxPool2D(np.int64(2), padding=np.int64(1)),
    lambda: layers.Dense(np.int64(2)),
    lambda: layers.Dropout(np.float32(0.5)),
    lambda: layers.LeakyReLU(np.float32(0.5)),
    lambda: layers.ELU(np.float32(0.5)),
    lambda: layers.BatchNorm(momentum=np.float32(0.5), eps=np.float32(0.5)),
    lambda: layers.LayerNorm(eps=np.float32(0.5)),
    lambda: layers.GroupNorm(np.int64(2), eps=np.float32(0.5)),
])
def test_settings_may_be_numbers_of_numpy(make: Callable[[], Layer]) -> None:
    config = make().config()
    assert layers.from_config(json.loads(json.dumps(config))).config() == config


@pytest.mark.parametrize(("config", "message"), [
    ({"type": "Conv3D"}, "here: expected one of Conv2D, MaxPool2D, "),
    ({}, "here: expected one of Conv2D, "),
    ({"type": ["Conv2D"]}, "here: expected one of Conv2D, "),
    ({"type": "Dense"}, "here: Dense needs the setting 'units'"),
    ({"type": "Dense", "units": 3, "bias": False}, "here: Dense has no setting 'bias'; "),
    ({"type": "Dense", "units": "3"}, "here: Dense: units must be an integer, got '3'"),
    ({"type": "GroupNorm"}, "here: GroupNorm needs the setting 'groups'"),
    ({"type": "LayerNorm", "axis": -1}, "here: LayerNorm has no setting 'axis'; "),
    ({"type": "Flatten", "order": "C"}, "here: Flatten has no setting 'order'; "),
])
def test_configurations_that_are_refused(config: dict[str, Any], message: str) -> None:
    assert_refused(lambda: layers.from_config(config, "here"), InputError, message)
