"""The measurement as tables, written to a folder."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from minicnn import benchmarking
from minicnn.benchmarking import Results, tables


@pytest.fixture(scope="module")
def written(results: Results, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all that `write` makes of a measurement."""
    folder = tmp_path_factory.mktemp("bench")
    benchmarking.write(results, folder)
    return folder



def test_the_csv_has_every_row(results: Results, written: Path) -> None:
    table = pd.read_csv(written / "bench.csv")
    assert len(table) == len(results.rows)
    np.testing.assert_allclose(
        table["gflops"], table["gflop"] / table["milliseconds"] * 1e3, rtol=1e-4
    )



def test_the_page_has_the_environment_and_every_pass(results: Results, written: Path) -> None:
    page = (written / "bench.md").read_text(encoding="utf-8")
    assert results.environment in page
    assert "| conv2d_4 | backward weights |" in page
    assert page.count("## ") == len(list(tables.tables(results)))



def test_the_page_ends_with_the_tables_that_are_handed_in(
    results: Results, tmp_path: Path
) -> None:
    benchmarking.write(results, tmp_path, [("More", ["what", "how much"], [["cells", "1"]])])
    page = (tmp_path / "bench.md").read_text(encoding="utf-8")
    assert page.endswith("## More\n\n| what | how much |\n| --- | --- |\n| cells | 1 |\n")



def test_the_pictures_are_written(written: Path) -> None:
    for name in ("layers", "roofline", "growth"):
        assert (written / f"{name}.svg").read_text(encoding="utf-8").startswith("<?xml")
