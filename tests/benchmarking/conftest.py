"""A small measurement that the tests of this folder share."""

from collections.abc import Iterator

import pytest

from minicnn import benchmarking
from minicnn.benchmarking import Results, Settings, processes, suite
from minicnn.benchmarking.processes import Start


@pytest.fixture(scope="session")
def results() -> Iterator[Results]:
    """A small real measurement; only the processes are made up."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(suite, "GROWTH", {
            "batch size": (1, 2), "image side": (4, 8), "channels": (8, 16),
        })
        patch.setattr(suite, "INFERENCE_BATCHES", (2, 1))
        patch.setattr(
            processes, "cold_and_warm",
            lambda batch, threads, backend: (Start(18.0, 900), Start(1.5, 700)),
        )
        yield benchmarking.measure_library(Settings("reference", (1,), batch=2, rounds=1))
